package io.sojourn.dist;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleFinder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is in the jar. */
@Tag("R68")
class DistributedJarIT {

  private static final String SERVICES = "META-INF/services/";

  /** By which a servlet container finds ours in {@code WEB-INF/lib}. */
  private static final String INITIALIZERS =
      SERVICES + "jakarta.servlet.ServletContainerInitializer";

  @Test
  void everyClassIsUnderANameOfOurOwn() throws IOException {
    assertThat(DistributedJar.entries())
        .contains("io/sojourn/tomcat/SojournManager.class")
        .filteredOn(name -> !name.startsWith("META-INF/"))
        .allMatch(name -> name.startsWith("io/sojourn/"));
  }

  /** Nothing that a framework of an application's could find and take for its own. */
  @Test
  void ofWhatLibrariesSayAboutThemselvesOnlyOurServicesAreLeft() throws IOException {
    assertThat(DistributedJar.entries())
        .filteredOn(
            name -> name.startsWith("META-INF/") && !name.startsWith(SERVICES + "io.sojourn."))
        .containsExactlyInAnyOrder(
            "META-INF/MANIFEST.MF", "META-INF/LICENSE", "META-INF/NOTICE", INITIALIZERS);
  }

  /** Neither libraries of machine code nor Netty's classes for its transports that need them. */
  @Test
  void nothingNativeIsInIt() throws IOException {
    assertThat(DistributedJar.entries())
        .anyMatch(name -> name.startsWith("io/sojourn/shaded/netty/channel/nio/"))
        .noneMatch(name -> name.matches(".*\\.(so|dll|dylib|jnilib)"))
        .noneMatch(
            name -> name.matches("io/sojourn/shaded/netty/.*/(epoll|kqueue|uring|io_uring)/.*"));
  }

  @Test
  void everyServiceIsThere() throws IOException {
    List<String> entries = DistributedJar.entries();
    for (String file : entries.stream().filter(name -> name.startsWith(SERVICES)).toList()) {
      String service = file.substring(SERVICES.length());
      if (!file.equals(INITIALIZERS)) {
        assertThat(entries).contains(classFile(service));
      }
      assertThat(DistributedJar.lines(file))
          .isNotEmpty()
          .allSatisfy(provider -> assertThat(entries).contains(classFile(provider)));
    }
    assertThat(DistributedJar.lines(SERVICES + "io.sojourn.SessionStoreProvider"))
        .containsExactlyInAnyOrder(
            "io.sojourn.InMemorySessionStoreProvider",
            "io.sojourn.jdbc.JdbcSessionStoreProvider",
            "io.sojourn.redis.RedisSessionStoreProvider");
    assertThat(DistributedJar.lines(INITIALIZERS))
        .containsExactly("io.sojourn.tomcat.SojournInitializer");
  }

  /** Jetty would find it in its own lib, too, where there is no servlet API. */
  @Test
  void inJettysJarIsTheSameButForWhatTomcatInitializesApplicationsBy() throws IOException {
    List<String> entries = new ArrayList<>(DistributedJar.entries());
    entries.remove(INITIALIZERS);
    assertThat(DistributedJar.entries(DistributedJar.JETTYS))
        .containsExactlyInAnyOrderElementsOf(entries);
  }

  private static String classFile(String name) {
    return name.replace('.', '/') + ".class";
  }

  /** Class names in text are what relocation may miss; the libraries' are for Class.forName. */
  @Test
  void noClassNamesALibraryByTheNameThatOthersKnow() throws IOException {
    Pattern former =
        Pattern.compile(
            "(?<![\\w./$])L?(?:com/esotericsoftware|com/github/benmanes|com/zaxxer|io/lettuce|io/netty|net/jpountz|org/slf4j|reactor/core|reactor/util|redis/clients)/[\\w/$]+");
    Set<String> found = new TreeSet<>();
    try (JarFile jar = new JarFile(DistributedJar.FILE.toFile())) {
      for (ZipEntry entry : jar.stream().filter(e -> e.getName().endsWith(".class")).toList()) {
        try (InputStream in = jar.getInputStream(entry)) {
          Matcher names = former.matcher(new String(in.readAllBytes(), ISO_8859_1));
          while (names.find()) {
            found.add(entry.getName() + ": " + names.group());
          }
        }
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void licencesOfAllThatIsInItAreInIt() throws IOException {
    assertThat(DistributedJar.lines("META-INF/LICENSE"))
        .anyMatch(line -> line.contains("Apache License"));
    Set<String> libraries = new TreeSet<>();
    for (String name : DistributedJar.entries()) {
      String[] path = name.split("/", -1);
      if (name.startsWith("io/sojourn/shaded/")) {
        libraries.add(path[3]);
      }
    }
    assertThat(libraries)
        .containsExactly(
            "caffeine",
            "hikari",
            "kryo",
            "lettuce",
            "lz4",
            "netty",
            "reactivestreams",
            "reactor",
            "redisclients",
            "slf4j");
    assertThat(String.join("\n", DistributedJar.lines("META-INF/NOTICE")))
        .contains(
            "Caffeine",
            "HikariCP",
            "Kryo",
            "Lettuce",
            "LZ4",
            "Netty",
            "Reactive Streams",
            "Reactor Core",
            "redis-authx-core",
            "SLF4J");
  }

  /** It finds its classes by names that it puts together, which relocation could miss. */
  @Test
  void lz4WorksUnderItsOtherNameWithoutNativeCode() throws Exception {
    assertThat(DistributedJar.entries())
        .filteredOn(name -> name.startsWith("io/sojourn/shaded/lz4/"))
        .isNotEmpty()
        .noneMatch(name -> name.endsWith(".so") || name.endsWith(".dylib"));
    try (URLClassLoader jar =
        new URLClassLoader(
            new URL[] {DistributedJar.FILE.toUri().toURL()},
            ClassLoader.getPlatformClassLoader())) {
      Class<?> codec = jar.loadClass("io.sojourn.AttributeCodec");
      Class<?> filter = jar.loadClass("io.sojourn.codec.ClassFilter");
      Class<?> value = jar.loadClass("io.sojourn.EncodedValue");
      Class<?> key = jar.loadClass("io.sojourn.SessionKey");
      Object kryo =
          jar.loadClass("io.sojourn.codec.KryoCodec")
              .getConstructor(ClassLoader.class, filter)
              .newInstance(jar, filter.getMethod("of", String.class).invoke(null, ""));
      Object compressed =
          jar.loadClass("io.sojourn.codec.CompressedCodec")
              .getConstructor(codec, boolean.class)
              .newInstance(kryo, true);
      Object origin = key.getMethod("of", String.class).invoke(null, "session");
      Object encoded =
          codec.getMethod("encode", Object.class).invoke(compressed, "again ".repeat(1_000));
      Object stored =
          codec
              .getMethod("seal", value, key, String.class)
              .invoke(compressed, encoded, origin, "a");
      assertThat(stored).isNotEqualTo(encoded);
      assertThat(
              codec
                  .getMethod("open", value, key, String.class)
                  .invoke(compressed, stored, origin, "a"))
          .isEqualTo(encoded);
    }
  }

  @Test
  void itHasAModuleName() {
    for (Path jar : List.of(DistributedJar.FILE, DistributedJar.JETTYS)) {
      assertThat(ModuleFinder.of(jar).find("io.sojourn.dist")).isPresent();
    }
  }
}
