package io.sojourn.codec;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import jakarta.servlet.http.Cookie;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.security.authentication.BadCredentialsException;
import org.springframework.security.authentication.RememberMeAuthenticationToken;
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.core.context.SecurityContextImpl;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetails;
import org.springframework.security.web.authentication.WebAuthenticationDetails;
import org.springframework.security.web.csrf.DefaultCsrfToken;
import org.springframework.security.web.savedrequest.DefaultSavedRequest;
import org.springframework.security.web.savedrequest.SavedCookie;
import org.springframework.security.web.savedrequest.SimpleSavedRequest;

/**
 * What one version of Spring Security puts into sessions, read with another one: the libraries as
 * they were released, each by a class loader of its own.
 */
@Tag("R46")
@Tag("G8")
class SpringSecurityVersionsTest {

  private static final String SPRING_SECURITY = "org.springframework.security.";
  private static final String VALUES = Values.class.getName();

  /** Made with the classes of whatever version loads this one. */
  public static final class Values implements Supplier<Map<String, Object>> {

    /** Nothing is made yet. */
    public Values() {}

    @Override
    public Map<String, Object> get() {
      UserDetails user =
          User.withUsername("ann").password("{noop}secret").authorities("USER", "ADMIN").build();
      UsernamePasswordAuthenticationToken login =
          UsernamePasswordAuthenticationToken.authenticated(user, null, user.getAuthorities());
      login.setDetails(new WebAuthenticationDetails("127.0.0.1", "session"));
      return new TreeMap<>(
          Map.of(
              "login",
              new SecurityContextImpl(login),
              "remembered login",
              new SecurityContextImpl(
                  new RememberMeAuthenticationToken("key", user, user.getAuthorities())),
              "CSRF token",
              new DefaultCsrfToken("X-CSRF-TOKEN", "_csrf", "4711"),
              "saved request",
              new DefaultSavedRequest.Builder()
                  .setMethod("POST")
                  .setScheme("https")
                  .setServerName("example.org")
                  .setServerPort(443)
                  .setRequestURI("/shop/pay")
                  .setRequestURL("https://example.org/shop/pay")
                  .setCookies(List.of(new SavedCookie(new Cookie("a", "b"))))
                  .setHeaders(Map.of("Accept", List.of("text/html")))
                  .setLocales(List.of(Locale.GERMANY))
                  .setParameters(Map.of("amount", new String[] {"5"}))
                  .build(),
              "saved address",
              new SimpleSavedRequest("https://example.org/a"),
              "last exception",
              new BadCredentialsException("no")));
    }
  }

  /** An application with the Spring Security of a folder that the build has filled. */
  private static final class Application extends URLClassLoader {

    Application(String version) {
      super(jars(version), SpringSecurityVersionsTest.class.getClassLoader());
    }

    private static URL[] jars(String version) {
      Path folder =
          Path.of(System.getProperty("basedir", "."), "target", "spring-security-" + version);
      return List.of("core", "web").stream()
          .map(part -> folder.resolve("spring-security-" + part + ".jar"))
          .map(
              jar -> {
                assertThat(jar).as("from `mvn process-test-classes`").exists();
                try {
                  return jar.toUri().toURL();
                } catch (MalformedURLException e) {
                  throw new AssertionError(e);
                }
              })
          .toArray(URL[]::new);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(SPRING_SECURITY) && !name.equals(VALUES)) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> known = findLoadedClass(name);
        return known == null ? findClass(name) : known;
      }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      if (!name.equals(VALUES)) {
        return super.findClass(name);
      }
      try (InputStream in =
          SpringSecurityVersionsTest.class.getResourceAsStream(
              VALUES.substring(VALUES.lastIndexOf('.') + 1) + ".class")) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static ClassLoader application(String version) {
    return version.equals("6.5")
        ? SpringSecurityVersionsTest.class.getClassLoader()
        : new Application(version);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> values(ClassLoader application)
      throws ReflectiveOperationException {
    Class<?> type = Class.forName(VALUES, true, application);
    return ((Supplier<Map<String, Object>>) type.getConstructor().newInstance()).get();
  }

  private static AttributeCodec codec(String name, ClassLoader application) {
    ClassFilter filter = ClassFilter.of(LibraryValues.PACKAGES);
    return name.equals("kryo")
        ? new KryoCodec(application, filter)
        : new JavaCodec(application, filter);
  }

  /**
   * Up to 6.1 each minor version says by its {@code serialVersionUID} that it is another one, which
   * Java serialization heeds. {@code kryo} needs that for the saved request only.
   */
  @ParameterizedTest(name = "{0}: {1} to {2}, but for {3}")
  @CsvSource({
    "kryo, 6.1, 6.5, saved request",
    "kryo, 6.5, 6.1, saved request",
    "kryo, 6.1, 7.0, saved request",
    "kryo, 6.5, 7.0, nothing",
    "kryo, 7.0, 6.5, nothing",
    "kryo, 7.0, 6.1, saved request",
    "java, 6.1, 6.5, login; remembered login; saved request",
    "java, 6.5, 6.1, login; remembered login; saved request",
    "java, 6.1, 7.0, login; remembered login; saved request",
    "java, 6.5, 7.0, nothing",
    "java, 7.0, 6.1, login; remembered login; saved request",
    "java, 7.0, 6.5, nothing"
  })
  void whatOneVersionHasStoredAnotherOneReadsOrNamesTheClassThatIsAnother(
      String codec, String from, String to, String refused) throws Exception {
    ClassLoader writer = application(from);
    AttributeCodec reader = codec(codec, application(to));
    Map<String, Object> expected = values(application(to));
    Set<String> unread = new TreeSet<>();
    for (Map.Entry<String, Object> value : values(writer).entrySet()) {
      String name = value.getKey();
      EncodedValue stored = codec(codec, writer).encode(value.getValue());
      byte[] before = stored.bytes().clone();
      try {
        assertThat(text(reader.decode(stored)))
            .as(name)
            .isEqualTo(text(requireNonNull(expected.get(name))));
      } catch (DecodeException e) {
        unread.add(name);
        assertThat(e)
            .as(name)
            .hasMessageContaining(SPRING_SECURITY)
            .hasMessageContaining("serialVersionUID")
            .message()
            .doesNotContain("ann", "pay");
      }
      assertThat(stored.bytes()).as(name).isEqualTo(before);
    }
    assertThat(unread.isEmpty() ? "nothing" : String.join("; ", unread)).isEqualTo(refused);
  }

  /** An exception without where it was made. */
  private static String text(Object value) {
    return value instanceof Exception ? value.toString() : Description.of(value);
  }
}
