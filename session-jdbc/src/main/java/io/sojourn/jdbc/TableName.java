package io.sojourn.jdbc;

import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the table of sessions is called, as a user writes it: {@code table} or {@code schema.table}.
 *
 * @param schema the schema it lies in; empty for the connection's own
 * @param table its name
 */
record TableName(Optional<String> schema, String table) {

  static final TableName DEFAULT = new TableName(Optional.empty(), "sojourn_session");

  /** Short enough for the longest name that is made of it, in all databases. */
  private static final Pattern FORM =
      Pattern.compile("(?:([A-Za-z_][A-Za-z0-9_$]{0,62})\\.)?([A-Za-z_][A-Za-z0-9_$]{0,45})");

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException if it is none
   */
  static TableName parse(String text) {
    Matcher parts = FORM.matcher(text.strip());
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "table=\""
              + text
              + "\" must be a name, or a schema and a name with a dot between, of letters, digits"
              + " and underscores, the name no longer than 46 characters");
    }
    return new TableName(Optional.ofNullable(parts.group(1)), parts.group(2));
  }

  /** The tables as this database calls them: quoted, in the case that it gives to plain names. */
  Tables in(DatabaseMetaData database) throws SQLException {
    String quote = database.getIdentifierQuoteString().strip();
    String cased = table;
    Optional<String> casedSchema = schema;
    if (database.storesUpperCaseIdentifiers()) {
      cased = table.toUpperCase(Locale.ROOT);
      casedSchema = schema.map(name -> name.toUpperCase(Locale.ROOT));
    } else if (database.storesLowerCaseIdentifiers()) {
      cased = table.toLowerCase(Locale.ROOT);
      casedSchema = schema.map(name -> name.toLowerCase(Locale.ROOT));
    }
    String prefix = casedSchema.map(name -> quote + name + quote + ".").orElse("");
    return new Tables(prefix, cased, quote);
  }
}
