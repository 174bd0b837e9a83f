package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.tomcat.util.IntrospectionUtils;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tables in docs/configuration.md, against what the manager, the valve and the stores take. */
@Tag("R71")
class ConfigurationTableTest {

  private static final Path DOCUMENT =
      Path.of(System.getProperty("basedir", "."), "..", "docs", "configuration.md");

  private static final Pattern ROW =
      Pattern.compile("\\| (`[^|]*) \\| ([^|]*) \\| ([^|]*) \\| [^|]* \\|");
  private static final Pattern SINGLE_SIGN_ON_ROW =
      Pattern.compile("\\| (`[^|]*) \\| [^|]* \\| [^|]* \\|");
  private static final Pattern NAME = Pattern.compile("`(\\w+)`");

  /** What Tomcat sets itself, or somebody who resets a figure. */
  private static final Set<String> NO_SETTINGS =
      Set.of(
          "domain",
          "duplicates",
          "expiredSessions",
          "maxActive",
          "processingTime",
          "sessionCounter",
          "sessionMaxAliveTime",
          "throwOnFailure");

  private static final Set<Class<?>> WHAT_TOMCAT_READS_FROM_TEXT =
      Set.of(String.class, int.class, long.class, boolean.class);

  /** A line of the table. */
  private record Row(List<String> names, List<String> stores, String defaultValue) {}

  private static List<Row> table() throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        rows.add(new Row(names(row.group(1)), List.of(row.group(2).split(", ", -1)), row.group(3)));
      }
    }
    return rows;
  }

  private static List<String> names(String cell) {
    return NAME.matcher(cell).results().map(found -> found.group(1)).toList();
  }

  private static Set<String> documented(String store) throws IOException {
    Set<String> names = new TreeSet<>();
    for (Row row : table()) {
      if (row.stores().contains(store)) {
        names.addAll(row.names());
      }
    }
    return names;
  }

  @Test
  void everySettingOfTheManagerIsInTheTableAndNoOther() throws IOException {
    assertThat(documented("all")).isEqualTo(settings(SojournManager.class));
  }

  @Test
  @Tag("R66")
  void everySettingOfSingleSignOnIsInItsTableAndNoOther() throws IOException {
    Set<String> documented = new TreeSet<>();
    String section = Files.readString(DOCUMENT).split("\n## Single sign-on\n", 2)[1];
    for (String line : section.split("\n## ", 2)[0].split("\n", -1)) {
      Matcher row = SINGLE_SIGN_ON_ROW.matcher(line);
      if (row.matches()) {
        documented.addAll(names(row.group(1)));
      }
    }
    Set<String> settings = settings(SojournSingleSignOn.class);
    // Every valve's, and of no use here.
    settings.remove("asyncSupported");
    assertThat(documented).isEqualTo(settings);
  }

  private static Set<String> settings(Class<?> type) {
    Set<String> settings = new TreeSet<>();
    for (Method method : type.getMethods()) {
      if (method.getName().startsWith("set")
          && method.getParameterCount() == 1
          && WHAT_TOMCAT_READS_FROM_TEXT.contains(method.getParameterTypes()[0])) {
        String name = method.getName().substring(3);
        settings.add(Character.toLowerCase(name.charAt(0)) + name.substring(1));
      }
    }
    settings.removeAll(NO_SETTINGS);
    return settings;
  }

  @Test
  void everyOptionOfAStoreIsInTheTableAndNoOther() throws IOException {
    assertThat(documented("Redis")).isEqualTo(options("redis://127.0.0.1", "Known are (.*)"));
    assertThat(documented("JDBC")).isEqualTo(options("jdbc:h2:mem:x", "it knows (.*)"));
    assertThat(options("jdbc:h2:mem:x", "it knows (.*)")).containsAll(documented("JNDI"));
  }

  /** A store that is given an unknown option says which ones it knows. */
  private static Set<String> options(String url, String answer) {
    StoreConfiguration configuration =
        new StoreConfiguration(url, "shop", Map.of("unheardOf", "1"), () -> Duration.ZERO);
    IllegalArgumentException refusal =
        catchThrowableOfType(
            IllegalArgumentException.class,
            () ->
                SessionStores.open(configuration, ConfigurationTableTest.class.getClassLoader())
                    .close());
    MatchResult known =
        Pattern.compile(answer)
            .matcher(String.valueOf(refusal.getMessage()))
            .results()
            .findFirst()
            .orElseThrow();
    return new TreeSet<>(List.of(known.group(1).split(", ", -1)));
  }

  @Test
  void theDefaultsAreThoseOfAFreshManager() throws IOException {
    SojournManager manager = new SojournManager();
    int compared = 0;
    for (Row row : table()) {
      if (row.stores().contains("all") && row.defaultValue().startsWith("`")) {
        List<String> defaults = List.of(row.defaultValue().split(", ", -1));
        for (int i = 0; i < row.names().size(); i++) {
          String name = row.names().get(i);
          String value = defaults.get(Math.min(i, defaults.size() - 1));
          if (value.startsWith("`")) {
            assertThat("`" + IntrospectionUtils.getProperty(manager, name) + "`")
                .as(name)
                .isEqualTo(value);
            compared++;
          }
        }
      }
    }
    assertThat(compared).isGreaterThan(10);
  }
}
