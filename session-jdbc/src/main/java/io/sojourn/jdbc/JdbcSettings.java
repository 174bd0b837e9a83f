package io.sojourn.jdbc;

import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A store's settings beyond its URL.
 *
 * @param table the table of sessions
 * @param schema what to do about the tables
 * @param maxAttributeBytes what an encoded attribute may take
 * @param username whose account; empty for what the URL or the driver says
 * @param password of the account
 * @param maximumPoolSize how many connections there may be
 * @param connectionTimeout how long a request waits for a connection: what a database that is down
 *     costs it
 * @param socketTimeout how long a request waits for an answer that takes the database no time
 */
record JdbcSettings(
    TableName table,
    Schema schema,
    int maxAttributeBytes,
    String username,
    String password,
    int maximumPoolSize,
    Duration connectionTimeout,
    Duration socketTimeout) {

  private static final Set<String> OF_ANY = Set.of("table", "schema", "maxAttributeBytes");

  private static final Set<String> OF_A_POOL =
      Set.of("username", "password", "maximumPoolSize", "connectionTimeout", "socketTimeout");

  /** HikariCP takes no shorter timeout. */
  private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(250);

  /**
   * Reads them.
   *
   * @param options what the user gave, by name
   * @param ownPool whether this is about a store with a pool of its own
   * @throws IllegalArgumentException if a name is unknown, or for a pool that there is not, or a
   *     value is wrong
   */
  static JdbcSettings of(Map<String, String> options, boolean ownPool) {
    Set<String> known = new TreeSet<>(OF_ANY);
    if (ownPool) {
      known.addAll(OF_A_POOL);
    }
    for (String name : new TreeSet<>(options.keySet())) {
      if (!ownPool && OF_A_POOL.contains(name)) {
        throw new IllegalArgumentException(
            name + "=\"...\" is for a store with a pool of its own; this one uses a DataSource");
      }
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            name + "=\"...\" is no setting of a JDBC store; it knows " + String.join(", ", known));
      }
    }
    return new JdbcSettings(
        TableName.parse(options.getOrDefault("table", TableName.DEFAULT.table())),
        Schema.parse(options.getOrDefault("schema", "create")),
        wholeNumber(options, "maxAttributeBytes", 8 << 20, 1),
        options.getOrDefault("username", ""),
        options.getOrDefault("password", ""),
        wholeNumber(options, "maximumPoolSize", 10, 1),
        timeout(options, "connectionTimeout", "800ms"),
        timeout(options, "socketTimeout", "800ms"));
  }

  private static Duration timeout(Map<String, String> options, String name, String otherwise) {
    String text = options.getOrDefault(name, otherwise);
    try {
      Duration timeout = StoreConfiguration.parseDuration(text);
      if (timeout.compareTo(SHORTEST_TIMEOUT) >= 0) {
        return timeout;
      }
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + "=\"" + text + "\" " + e.getMessage(), e);
    }
    throw new IllegalArgumentException(
        name + "=\"" + text + "\" must be " + SHORTEST_TIMEOUT.toMillis() + "ms or more");
  }

  private static int wholeNumber(
      Map<String, String> options, String name, int otherwise, int least) {
    String text = options.get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(text.strip());
      if (number >= least) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Answered below, like a number that is too small.
    }
    throw new IllegalArgumentException(
        name + "=\"" + text + "\" must be a whole number, " + least + " or more");
  }

  /** Without the account. */
  @Override
  public String toString() {
    return "JdbcSettings[table=" + table + ", schema=" + schema + "]";
  }
}
