package io.sojourn.jdbc;

/**
 * A statement, or a part of one, that may look at the database's clock. Immutable.
 *
 * @param template with {@code {now}} where the clock is
 * @param clock the expression for it, in milliseconds since 1970
 * @param text the statement whose clock is not shifted
 */
record SqlText(String template, String clock, String text) {

  /** Without the line breaks and indents: most drivers send the text with each execution. */
  static SqlText of(String template, String clock) {
    String squeezed = squeeze(template);
    return new SqlText(squeezed, clock, squeezed.replace("{now}", clock));
  }

  /** The statement on one line. Only for statements without literals that hold white space. */
  static String squeeze(String sql) {
    return sql.replaceAll("\\s+", " ");
  }

  /** With the clock that many milliseconds ahead. */
  String ahead(long milliseconds) {
    return milliseconds == 0
        ? text
        : template.replace("{now}", "(" + clock + " + " + milliseconds + ")");
  }
}
