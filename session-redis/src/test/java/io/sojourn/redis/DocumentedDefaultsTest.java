package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisURI;
import io.sojourn.StoreConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

  private static final Pattern ROW = Pattern.compile("\\| `(\\w+)` \\| Redis \\| `([^`]*)` \\| .*");

  /** What can have a default, with these options. */
  private static List<Object> settings(Map<String, String> options) {
    RedisSettings settings =
        RedisSettings.of(
            new StoreConfiguration("rediss://db", "shop", options, () -> Duration.ZERO));
    RedisURI uri = settings.uri(settings.timeout());
    return List.of(settings.timeout(), settings.replicas(), uri.getDatabase(), uri.getVerifyMode());
  }

  @Test
  void theDocumentedDefaultsAreThoseOfTheSettings() throws IOException {
    Set<String> compared = new TreeSet<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        assertThat(settings(Map.of(row.group(1), row.group(2))))
            .as(row.group(1))
            .isEqualTo(settings(Map.of()));
        compared.add(row.group(1));
      }
    }
    assertThat(compared).containsExactly("database", "replicas", "timeout", "verify");
  }
}
