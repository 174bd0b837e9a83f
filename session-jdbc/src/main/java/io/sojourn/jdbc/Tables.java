package io.sojourn.jdbc;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of a store's tables in a database.
 *
 * @param prefix the schema, quoted, with a dot after it; or nothing
 * @param table the table of sessions, not quoted
 * @param quote what goes around a name
 */
record Tables(String prefix, String table, String quote) {

  private static final Pattern DEFAULT_NAME =
      Pattern.compile("\\b" + TableName.DEFAULT.table() + "(_[a-z]+)?\\b");
  private static final String ATTRIBUTE = "_attribute";
  private static final String VERSION = "_version";

  /** Statements in which the tables and indexes go by their default names, with these names. */
  String putInto(String sql) {
    return DEFAULT_NAME
        .matcher(sql)
        .replaceAll(
            name -> {
              String suffix = name.group(1) == null ? "" : name.group(1);
              boolean isTable = Set.of("", ATTRIBUTE, VERSION).contains(suffix);
              return Matcher.quoteReplacement((isTable ? prefix : "") + quoted(suffix));
            });
  }

  private String quoted(String suffix) {
    boolean upper = table.equals(table.toUpperCase(Locale.ROOT));
    return quote + table + (upper ? suffix.toUpperCase(Locale.ROOT) : suffix) + quote;
  }
}
