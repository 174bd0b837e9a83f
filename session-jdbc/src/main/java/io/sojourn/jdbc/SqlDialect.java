package io.sojourn.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/** What differs between databases. Immutable. */
enum SqlDialect {
  H2(
      "CAST(FLOOR(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000) AS BIGINT)",
      "MERGE INTO sojourn_attribute (application, origin, name, version, content)"
          + " KEY (application, origin, name) VALUES ",
      ""),

  /** MariaDB, and MySQL as far as the two agree. */
  MARIADB(
      "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)",
      "INSERT INTO sojourn_attribute (application, origin, name, version, content) VALUES ",
      " ON DUPLICATE KEY UPDATE version = VALUES(version), content = VALUES(content)");

  private final String now;
  private final String upsertHead;
  private final String upsertTail;

  SqlDialect(String now, String upsertHead, String upsertTail) {
    this.now = now;
    this.upsertHead = upsertHead;
    this.upsertTail = upsertTail;
  }

  /**
   * The dialect of a database.
   *
   * @param product what its driver calls it
   * @throws IllegalArgumentException if there is none
   */
  static SqlDialect of(String product) {
    String name = product.toLowerCase(Locale.ROOT);
    if (name.contains("mariadb") || name.contains("mysql")) {
      return MARIADB;
    }
    if (name.equals("h2")) {
      return H2;
    }
    throw new IllegalArgumentException(
        "Sessions cannot be kept in " + product + ": H2 and MariaDB are supported");
  }

  /**
   * A statement for this database.
   *
   * @param template may hold {@code {now}}, the database's clock in milliseconds since 1970; a
   *     parameter follows it in each place, to shift it
   */
  String sql(String template) {
    return template.replace("{now}", "(" + now + " + ?)");
  }

  /** Whether {@link #answeringVersion} answers by a generated key, and not by a result set. */
  boolean answersVersionAsGeneratedKey() {
    return this == MARIADB;
  }

  /**
   * The update, made to answer the version that it has left: as the generated key or as a result
   * set.
   */
  String answeringVersion(String update, String versionExpression) {
    return this == MARIADB
        ? update.replace("{version}", "LAST_INSERT_ID(" + versionExpression + ")")
        : "SELECT version FROM FINAL TABLE ("
            + update.replace("{version}", versionExpression)
            + ")";
  }

  /** Writes that many attributes, new or not, in one statement of five parameters each. */
  String upsert(int rows) {
    return upsertHead + "(?, ?, ?, ?, ?)" + ", (?, ?, ?, ?, ?)".repeat(rows - 1) + upsertTail;
  }

  /** The statements that create what is not there yet. */
  List<String> schema() {
    String resource = "schema-" + name().toLowerCase(Locale.ROOT) + ".sql";
    try (InputStream in = Objects.requireNonNull(SqlDialect.class.getResourceAsStream(resource))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return Stream.of(text.split(";")).map(String::strip).filter(s -> !s.isEmpty()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
