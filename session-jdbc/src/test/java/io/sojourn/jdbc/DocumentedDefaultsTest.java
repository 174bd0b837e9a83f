package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The defaults in the table of docs/configuration.md, against what is so without a setting. */
@Tag("R71")
class DocumentedDefaultsTest {

  private static final Path DOCUMENT =
      Path.of(System.getProperty("basedir", "."), "..", "docs", "configuration.md");

  private static final Pattern ROW =
      Pattern.compile("\\| `(\\w+)` \\| JDBC(?:, JNDI)? \\| `([^`]*)` \\| .*");

  @Test
  void theDocumentedDefaultsAreThoseOfTheSettings() throws IOException {
    JdbcSettings none = JdbcSettings.of(Map.of(), true);
    Set<String> compared = new TreeSet<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        assertThat(JdbcSettings.of(Map.of(row.group(1), row.group(2)), true))
            .as(row.group(1))
            .isEqualTo(none);
        compared.add(row.group(1));
      }
    }
    assertThat(compared)
        .containsExactly(
            "connectionTimeout",
            "maxAttributeBytes",
            "maximumPoolSize",
            "schema",
            "socketTimeout",
            "table");
  }
}
