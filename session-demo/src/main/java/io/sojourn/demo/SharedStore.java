package io.sojourn.demo;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import java.security.SecureRandom;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.stream.Collectors;
import org.h2.tools.Server;

/**
 * The store that both nodes keep their sessions in: one that the person named, or the one that the
 * demo brings along, an H2 database in this process's memory that is open to this machine only.
 * Closing ends only the latter. Thread-safe.
 */
final class SharedStore implements AutoCloseable {

  /** Whose sessions these are: in a store that others use too, they stay apart. */
  static final String APPLICATION = "sojourn-demo";

  private final String url;
  private final String description;
  private final Runnable stop;

  private SharedStore(String url, String description, Runnable stop) {
    this.url = url;
    this.description = description;
    this.stop = stop;
  }

  /**
   * The store at a URL, checked before any node is started.
   *
   * @throws DemoFailure if it cannot be asked, or no two processes could share it
   */
  static SharedStore at(String url) {
    StoreConfiguration configuration = StoreConfiguration.of(url, APPLICATION);
    checkStore(configuration);
    return new SharedStore(url, configuration.printableUrl(), () -> {});
  }

  /**
   * Starts a database inside this process, on a free port of 127.0.0.1 and with a password of its
   * own.
   */
  static SharedStore embedded() {
    String password = randomPassword();
    // Read when H2's classes are loaded, and never asked for again.
    System.setProperty("h2.bindAddress", "127.0.0.1");
    try {
      // Only a database that is there already can be opened over TCP: so it is made here, and kept.
      DriverManager.getConnection("jdbc:h2:mem:sojourn;DB_CLOSE_DELAY=-1", "sojourn", password)
          .close();
      Server server = Server.createTcpServer("-tcpPort", "0", "-tcpDaemon").start();
      String url =
          "jdbc:h2:tcp://127.0.0.1:%d/mem:sojourn;USER=sojourn;PASSWORD=%s"
              .formatted(server.getPort(), password);
      return new SharedStore(url, "an H2 database in this process", server::stop);
    } catch (SQLException e) {
      throw new DemoFailure(
          DemoFailure.START, "the built-in H2 database did not start: " + e.getMessage());
    }
  }

  /** Where nodes find it; may hold a password. */
  String url() {
    return url;
  }

  /** What to call it on a screen. */
  String description() {
    return description;
  }

  @Override
  public void close() {
    stop.run();
  }

  /** Refuses, in one line, a store that cannot be asked or that two processes could not share. */
  private static void checkStore(StoreConfiguration configuration) {
    if (configuration.scheme().equalsIgnoreCase("memory")) {
      throw unusable(
          "store=\"memory:\" lives inside one process, so two nodes cannot share it; name a redis:"
              + " or jdbc: store");
    }
    try (SessionStore store =
        SessionStores.open(configuration, SharedStore.class.getClassLoader())) {
      store.ping();
    } catch (IllegalArgumentException | StoreUnavailableException e) {
      throw unusable(String.valueOf(e.getMessage()).lines().collect(Collectors.joining(" ")));
    }
  }

  private static DemoFailure unusable(String reason) {
    return new DemoFailure(DemoFailure.START, reason);
  }

  private static String randomPassword() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
