package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("G10")
class ClassFilterTest {

  private static boolean allows(ClassFilter filter, String name) {
    return filter.refusal(name) == null;
  }

  @Test
  void valuesAndCollectionsOfTheJdkAreAllowed() {
    ClassFilter filter = ClassFilter.of("");

    assertThat(
            new String[] {
              "java.lang.String",
              "java.util.ArrayList",
              "java.util.UUID",
              "java.time.Instant",
              "java.util.Collections$UnmodifiableMap",
              "java.math.BigDecimal",
              "[Ljava.lang.Object;",
              "[[I",
              "int"
            })
        .allMatch(name -> allows(filter, name));
  }

  @Test
  void theRestOfTheJdkIsNot() {
    ClassFilter filter = ClassFilter.of("");

    assertThat(
            new String[] {
              "java.net.URL",
              "java.io.File",
              "java.lang.ProcessBuilder",
              "java.lang.invoke.SerializedLambda",
              "java.util.Formatter",
              "javax.swing.JFrame",
              "[Ljava.net.URL;"
            })
        .noneMatch(name -> allows(filter, name));
  }

  @Test
  void aNameAllowsThisClassAlone() {
    ClassFilter filter = ClassFilter.of("com.acme.Cart");

    assertThat(allows(filter, "com.acme.Cart")).isTrue();
    assertThat(allows(filter, "[[Lcom.acme.Cart;")).isTrue();
    assertThat(allows(filter, "com.acme.Cart$Item")).isFalse();
    assertThat(allows(filter, "com.acme.Carts")).isFalse();
    assertThat(allows(filter, "com.acme")).isFalse();
  }

  @Test
  void oneStarAllowsAPackageAndTwoAllBelowIt() {
    ClassFilter one = ClassFilter.of("com.acme.*");
    ClassFilter two = ClassFilter.of("com.acme.**");

    assertThat(allows(one, "com.acme.Cart$Item")).isTrue();
    assertThat(allows(one, "com.acme.shop.Cart")).isFalse();
    assertThat(allows(one, "com.acmeshop.Cart")).isFalse();
    assertThat(allows(two, "com.acme.Cart")).isTrue();
    assertThat(allows(two, "com.acme.shop.cart.Cart")).isTrue();
    assertThat(allows(two, "com.acmeshop.Cart")).isFalse();
  }

  @Test
  void patternsMayBeSeparatedInAnyOfTheUsualWays() {
    ClassFilter filter = ClassFilter.of(" a.A, b.B;c.C\n d.D ");

    assertThat(new String[] {"a.A", "b.B", "c.C", "d.D"}).allMatch(name -> allows(filter, name));
  }

  @Test
  void anExclamationMarkDeniesWhateverElseAllows() {
    ClassFilter filter = ClassFilter.of("!com.acme.internal.**, com.acme.**, !java.util.Date");

    assertThat(allows(filter, "com.acme.Cart")).isTrue();
    assertThat(allows(filter, "com.acme.internal.Secret")).isFalse();
    assertThat(allows(filter, "java.util.Date")).isFalse();
    assertThat(filter.refusal("[Ljava.util.Date;")).contains("!java.util.Date");
  }

  @Test
  @Tag("R57")
  void classesKnownToBeAbusedAreDeniedAlways() {
    ClassFilter filter = ClassFilter.of("org.**, com.**, groovy.**, javassist.**, bsh.*");

    assertThat(
            new String[] {
              "org.apache.commons.collections.functors.InvokerTransformer",
              "org.apache.commons.collections4.functors.InstantiateTransformer",
              "org.codehaus.groovy.runtime.MethodClosure",
              "org.springframework.beans.factory.support.DefaultListableBeanFactory",
              "org.springframework.aop.framework.AdvisedSupport",
              "com.mchange.v2.c3p0.impl.PoolBackedDataSourceBase",
              "com.rometools.rome.feed.impl.ToStringBean",
              "com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl",
              "org.apache.xalan.xsltc.trax.TemplatesImpl",
              "org.apache.bcel.util.ClassLoader",
              "javassist.util.proxy.ProxyFactory",
              "[Lbsh.XThis;"
            })
        .noneMatch(name -> allows(filter, name));
    assertThat(filter.refusal("bsh.XThis")).contains("bsh.XThis").contains("no pattern allows");
  }

  @Test
  void aRefusalSaysWhichClassAndWhatWouldAllowIt() {
    assertThat(ClassFilter.of("").refusal("[Lcom.acme.Cart;"))
        .contains("com.acme.Cart is not allowed")
        .contains("com.acme.*");
  }

  @Test
  void aHostileNameDoesNotGetIntoTheMessageAsItIs() {
    assertThat(ClassFilter.of("").refusal("com.\nacme" + "x".repeat(100_000)))
        .doesNotContain("\n")
        .hasSizeLessThan(1000);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "**",
        "!*",
        "com.*.Cart",
        "com.acme.",
        ".com",
        "com..acme",
        "[Lcom.Cart",
        "com.acme.Cart[]",
        "com.acme*",
        "!!com.Cart",
        "com.acme.***",
        "1a.B",
        "!"
      })
  void whatIsNoPatternIsRefusedAndNamed(String pattern) {
    assertThatThrownBy(() -> ClassFilter.of("com.acme.Cart " + pattern))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + pattern + "'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[",
        "[[",
        "[L;",
        "[Lcom.acme.Cart",
        "[Q",
        "[II",
        "",
        "../Cart",
        "com/acme/Cart",
        "[Lcom.acme.[I;",
        "com.acme.Ca\nrt"
      })
  void whatIsNoNameIsRefused(String name) {
    assertThat(ClassFilter.of("com.acme.*").refusal(name)).isNotNull();
  }

  @Test
  void theApplicationsOwnClassesAreThoseOfItsLoader() {
    Compiled application = Compiled.of("class Cart { }");
    ClassFilter filter = ClassFilter.ofApplication(application, "!shop.Other");

    assertThat(allows(filter, "shop.Cart")).isTrue();
    assertThat(allows(filter, "[Lshop.Cart;")).isTrue();
    assertThat(allows(filter, "shop.Other")).isFalse();
    assertThat(allows(filter, "java.util.ArrayList")).isTrue();
    assertThat(allows(filter, "java.net.URL")).isFalse();
    assertThat(allows(filter, getClass().getName())).isFalse();
  }

  @Test
  void itsLibrariesAreNamedOneByOneOrAllTogether(@TempDir Path folder) throws IOException {
    Map<String, byte[]> compiled =
        Compiled.of(
                "class Cart implements Serializable { }", "class Lib implements Serializable { }")
            .classes();
    Path classes = Files.createDirectories(folder.resolve("WEB-INF/classes/shop"));
    Files.write(classes.resolve("Cart.class"), bytesOf(compiled, "shop.Cart"));
    Path jar = Files.createDirectories(folder.resolve("WEB-INF/lib")).resolve("lib.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("shop/Lib.class"));
      out.write(bytesOf(compiled, "shop.Lib"));
    }
    URL[] urls = {folder.resolve("WEB-INF/classes").toUri().toURL(), jar.toUri().toURL()};
    try (URLClassLoader application = new URLClassLoader(urls, getClass().getClassLoader())) {
      ClassFilter own = ClassFilter.ofApplication(application, "");
      ClassFilter named = ClassFilter.ofApplication(application, "shop.Lib");
      ClassFilter all = ClassFilter.ofApplication(application, "WEB-INF/lib/* !shop.Cart");

      assertThat(allows(own, "shop.Cart")).isTrue();
      assertThat(own.refusal("[Lshop.Lib;"))
          .contains("shop.Lib is not allowed")
          .contains("shop.*")
          .contains("WEB-INF/lib/*");
      assertThat(allows(named, "shop.Lib")).isTrue();
      assertThat(allows(all, "shop.Lib")).isTrue();
      assertThat(allows(all, "shop.Cart")).isFalse();
      assertThat(allows(all, getClass().getName())).isFalse();
      assertThat(all).hasToString("ClassFilter[!shop.Cart WEB-INF/lib/* and the application]");
    }
    assertThatThrownBy(() -> ClassFilter.of("WEB-INF/lib/*"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static byte[] bytesOf(Map<String, byte[]> classes, String name) {
    return Objects.requireNonNull(classes.get(name));
  }

  @Test
  void theApplicationsClassesAreNotInitializedToBeJudged() {
    Compiled application =
        Compiled.of("class Cart { static { System.setProperty(\"shop.initialized\", \"1\"); } }");

    assertThat(allows(ClassFilter.ofApplication(application, ""), "shop.Cart")).isTrue();
    assertThat(System.getProperty("shop.initialized")).isNull();
  }

  /** Loads nothing and says so. */
  private static final class NeverLoading extends URLClassLoader {

    final List<String> asked = new ArrayList<>();

    NeverLoading(URL... urls) {
      super(urls, ClassFilterTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      asked.add(name);
      throw new ClassNotFoundException(name);
    }
  }

  private static Path jar(Path file, String... entries) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(file))) {
      for (String entry : entries) {
        out.putNextEntry(new JarEntry(entry));
      }
    }
    return file;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noClassIsLoadedToBeJudged(boolean packed, @TempDir Path folder) throws IOException {
    String[] own = {
      "shop/Cart.class", "shop/Cart$Item.class", "shop/W\u00e4hrung.class", "Top.class"
    };
    URL classes;
    if (packed) {
      String[] entries = Stream.of(own).map("WEB-INF/classes/"::concat).toArray(String[]::new);
      Path war = jar(folder.resolve("shop.war"), entries);
      classes = URI.create("jar:" + war.toUri() + "!/WEB-INF/classes/").toURL();
    } else {
      Files.createDirectories(folder.resolve("classes/shop"));
      for (String name : own) {
        Files.createFile(folder.resolve("classes").resolve(name));
      }
      classes = folder.resolve("classes").toUri().toURL();
    }
    Path lib = jar(folder.resolve("lib.jar"), "shop/Lib.class", "shop/Lib$Part.class", "Lib.class");
    try (NeverLoading application = new NeverLoading(classes, lib.toUri().toURL())) {
      ClassFilter filter = ClassFilter.ofApplication(application, "");
      ClassFilter all = ClassFilter.ofApplication(application, "WEB-INF/lib/*");
      for (int time = 0; time < 2; time++) {
        for (String name :
            List.of("shop.Cart", "shop.Cart$Item", "[[Lshop.Cart;", "shop.W\u00e4hrung", "Top")) {
          assertThat(filter.refusal(name)).as(name).isNull();
          assertThat(all.refusal(name)).as(name).isNull();
        }
        for (String name : List.of("shop.Lib", "shop.Lib$Part", "[Lshop.Lib;", "Lib")) {
          assertThat(filter.refusal(name)).as(name).contains("WEB-INF/lib/*");
          assertThat(all.refusal(name)).as(name).isNull();
        }
        for (String name :
            List.of(
                getClass().getName(),
                "org.junit.jupiter.api.Test",
                "java.net.URL",
                "java.sql.DriverManager",
                "[Ljava.io.File;")) {
          assertThat(filter.refusal(name)).as(name).contains("is not allowed");
          assertThat(all.refusal(name)).as(name).contains("is not allowed");
        }
        assertThat(filter.refusal("shop.Missing")).isNull();
      }
      assertThat(application.asked).isEmpty();
    }
  }

  /** As where an application's folder of classes is on the class path of the JVM, too. */
  @Test
  void ofAFileThatTheParentHasTooWhoHasDefinedTheClassDecides() throws IOException {
    URL classes = getClass().getProtectionDomain().getCodeSource().getLocation();
    try (URLClassLoader application =
        new URLClassLoader(new URL[] {classes}, getClass().getClassLoader())) {
      ClassFilter filter = ClassFilter.ofApplication(application, "");
      assertThat(allows(filter, getClass().getName())).isTrue();
      assertThat(filter.refusal(getClass())).contains("is not allowed");
    }
  }

  @Test
  void aLibrarysClassesForNewerJavaAreTheLibrarys(@TempDir Path folder) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MULTI_RELEASE, "true");
    Path lib = folder.resolve("lib.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(lib), manifest)) {
      out.putNextEntry(new JarEntry("META-INF/versions/11/shop/Lib.class"));
    }
    try (NeverLoading application = new NeverLoading(lib.toUri().toURL())) {
      assertThat(ClassFilter.ofApplication(application, "").refusal("shop.Lib"))
          .contains("WEB-INF/lib/*");
    }
  }

  /** As Tomcat's do, which leave to the JDK what it has. */
  @Test
  void aClassOfTheJdkIsNotTheApplicationsThoughItHasAFileOfThatName(@TempDir Path folder)
      throws IOException {
    Files.createDirectories(folder.resolve("java/net"));
    Files.createFile(folder.resolve("java/net/URL.class"));
    Files.createDirectories(folder.resolve("org/junit/jupiter/api"));
    Files.createFile(folder.resolve("org/junit/jupiter/api/Test.class"));
    try (URLClassLoader application =
        new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader()) {
          @Override
          public @Nullable URL getResource(String name) {
            URL own = findResource(name);
            return own == null ? super.getResource(name) : own;
          }
        }) {
      ClassFilter filter = ClassFilter.ofApplication(application, "");
      assertThat(allows(filter, "java.net.URL")).isFalse();
      assertThat(allows(filter, "org.junit.jupiter.api.Test")).isTrue();
      // Whose name allows it, but its loader does not.
      assertThat(filter.refusal(Test.class)).contains("is not allowed");
      assertThat(filter.refusal(Test[].class)).contains("is not allowed");
    }
  }

  /** A class that is made at run time has no resource: its loader says whose it is. */
  @Test
  void aClassWithoutAResourceIsJudgedOnceItIsLoaded() throws Exception {
    Compiled server = Compiled.of("class Generated implements Serializable { }");
    ClassLoader application = new ClassLoader(server) {};
    KryoCodec codec = new KryoCodec(application, ClassFilter.ofApplication(application, ""));
    EncodedValue planted =
        server.codec().encode(server.loadClass("shop.Generated").getConstructor().newInstance());

    assertThatThrownBy(() -> codec.decode(planted))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("shop.Generated is not allowed");
  }
}
