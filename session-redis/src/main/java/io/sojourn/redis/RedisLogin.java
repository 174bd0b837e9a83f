package io.sojourn.redis;

import java.util.Arrays;
import java.util.Optional;

/**
 * Gives the credentials for each connection that is opened, where they change while the application
 * runs, as ElastiCache's IAM tokens do. The store's option {@code login} names a class that
 * implements this and has a public constructor without parameters; it is loaded by the web
 * application's class loader.
 *
 * <p>Implementations are called by several threads, and by those of the driver, so they should
 * answer at once.
 */
@FunctionalInterface
public interface RedisLogin {

  /**
   * The credentials for a connection that is about to be opened. An exception makes that fail, and
   * the store unavailable until the next attempt.
   */
  Credentials get();

  /** Username and password. */
  final class Credentials {

    private final Optional<String> username;
    private final char[] password;

    /**
     * A user of the server's ACL.
     *
     * @param username empty for the default user
     * @param password copied
     */
    public Credentials(String username, char[] password) {
      this.username = username.isEmpty() ? Optional.empty() : Optional.of(username);
      this.password = password.clone();
    }

    Optional<String> username() {
      return username;
    }

    char[] password() {
      return Arrays.copyOf(password, password.length);
    }

    /** Without the password. */
    @Override
    public String toString() {
      return "Credentials[" + username.orElse("default") + "]";
    }
  }
}
