package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Who is let into the Redis servers of a test, and how.
 *
 * <p>Where it is {@linkplain #documented() documented}, clients are the users of docs/operations.md
 * with the rights that stand there and no others: one where the data is, another one at Sentinels.
 * The servers among themselves and the testkit are the default user, whose password nobody else
 * knows. Immutable.
 */
public final class RedisAccess {

  /** Anybody, in the clear. */
  static final RedisAccess OPEN = new RedisAccess(null, false, null);

  private static final Path DOCUMENT = Path.of("..", "docs", "operations.md");
  private static final Pattern USER = Pattern.compile("(?m)^user (\\S+ on >.*)$");
  private static final Pattern SENTINEL_RIGHTS =
      Pattern.compile("`([^`\\n]*\\+sentinel\\|[^`\\n]*)`");

  private final @Nullable TlsCertificates certificates;
  private final boolean wantsCertificates;
  private final @Nullable Accounts accounts;
  private final SocketFactory sockets;

  private RedisAccess(
      @Nullable TlsCertificates certificates,
      boolean wantsCertificates,
      @Nullable Accounts accounts) {
    this.certificates = certificates;
    this.wantsCertificates = wantsCertificates;
    this.accounts = accounts;
    this.sockets = certificates == null ? SocketFactory.getDefault() : certificates.clientSockets();
  }

  /**
   * Lets the users of docs/operations.md in, in the clear.
   *
   * @throws IllegalStateException if their rights do not stand there
   */
  public static RedisAccess documented() {
    return new RedisAccess(null, false, Accounts.read());
  }

  /**
   * Lets the users of docs/operations.md in who come by TLS and show {@linkplain
   * TlsCertificates#clientKeyStore() a certificate}. The servers speak TLS to each other too.
   *
   * @param certificates have to stay open as long as the servers
   * @throws IllegalStateException if the users' rights do not stand there
   */
  public static RedisAccess documented(TlsCertificates certificates) {
    return new RedisAccess(certificates, true, Accounts.read());
  }

  /** Lets anybody in who comes by TLS. */
  static RedisAccess byTls(TlsCertificates certificates) {
    return new RedisAccess(certificates, false, null);
  }

  /** Returns the options with which a store of this URL is let in. */
  public Map<String, String> options(String url) {
    Map<String, String> options = new HashMap<>();
    if (accounts != null) {
      options.put("username", accounts.user.name());
      options.put("password", accounts.user.password());
    }
    if (accounts != null && url.contains("-sentinel:")) {
      options.put("sentinelUsername", accounts.sentinelUser.name());
      options.put("sentinelPassword", accounts.sentinelUser.password());
    }
    if (certificates != null) {
      options.put("trustStore", certificates.trustStore().toString());
      options.put("trustStorePassword", certificates.password());
      if (wantsCertificates) {
        options.put("keyStore", certificates.clientKeyStore().toString());
        options.put("keyStorePassword", certificates.password());
      }
    }
    return options;
  }

  /** Returns how URLs begin. */
  String scheme() {
    return certificates == null ? "redis" : "rediss";
  }

  /** Returns what makes connections. */
  SocketFactory sockets() {
    return sockets;
  }

  /** Returns the command by which a server or the testkit logs in, or nothing if none is needed. */
  List<String> login() {
    return accounts == null ? List.of() : List.of("AUTH", accounts.ownPassword);
  }

  /** Returns the arguments that make a server listen on a port. */
  List<String> portArguments(int port) {
    if (certificates == null) {
      return List.of("--port", Integer.toString(port));
    }
    String clients = wantsCertificates ? "yes" : "no";
    return Stream.of(
            List.of("--port", "0", "--tls-port", Integer.toString(port)),
            List.of("--tls-auth-clients", clients),
            List.of("--tls-replication", "yes", "--tls-cluster", "yes"),
            certificates.redisArguments())
        .flatMap(List::stream)
        .toList();
  }

  /** Returns the arguments that give a server with data its users. */
  List<String> userArguments() {
    return accounts == null
        ? List.of()
        : RedisProgram.words(
            "--requirepass " + accounts.ownPassword,
            "--masterauth " + accounts.ownPassword,
            "--user " + accounts.user.rule);
  }

  /** Returns the lines that give a Sentinel its users, and make it one of its master's. */
  List<String> sentinelConfiguration(String master) {
    return accounts == null
        ? List.of()
        : List.of(
            "requirepass " + accounts.ownPassword,
            "sentinel auth-pass " + master + " " + accounts.ownPassword,
            "user " + accounts.sentinelUser.rule);
  }

  /**
   * The users of servers.
   *
   * @param ownPassword of the default user
   */
  private record Accounts(User user, User sentinelUser, String ownPassword) {

    static Accounts read() {
      String document;
      try {
        document = Files.readString(DOCUMENT);
      } catch (IOException e) {
        throw new IllegalStateException("The rights of users cannot be read: " + e, e);
      }
      String rights = find(SENTINEL_RIGHTS, document);
      return new Accounts(
          new User(find(USER, document)),
          new User("watcher on >watchword resetchannels -@all " + rights),
          UUID.randomUUID().toString());
    }

    private static String find(Pattern pattern, String document) {
      Matcher matcher = pattern.matcher(document);
      if (!matcher.find()) {
        throw new IllegalStateException("Nothing in " + DOCUMENT + " is like " + pattern);
      }
      return matcher.group(1);
    }
  }

  /**
   * A user.
   *
   * @param rule the name, {@code on}, the password after {@code >}, and what else Redis takes
   */
  private record User(String rule) {

    String name() {
      return words()[0];
    }

    String password() {
      return words()[2].substring(1);
    }

    private String[] words() {
      return rule.split(" ", -1);
    }
  }
}
