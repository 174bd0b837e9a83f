package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.codec.ClassRule.Kind;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The table of types in docs/configuration.md, against what the codec makes of them. */
@Tag("R45")
class DocumentedTypesTest {

  private static final Path DOCUMENT =
      Path.of(System.getProperty("basedir", "."), "..", "docs", "configuration.md");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final ClassLoader LOADER = DocumentedTypesTest.class.getClassLoader();

  private final ClassRule byDefault = new ClassRule(LOADER, ClassFilter.of(""));

  private static List<String> words(String row) throws IOException {
    return Files.readAllLines(DOCUMENT).stream()
        .filter(line -> line.startsWith("| " + row + " | "))
        .map(line -> line.substring(row.length() + 5))
        .flatMap(cell -> CODE.matcher(cell).results().map(found -> found.group(1)))
        .toList();
  }

  /** The names of a row, which has each package once and then its classes. */
  private static Set<String> names(String row) throws IOException {
    Set<String> names = new TreeSet<>();
    String prefix = "";
    for (String word : words(row)) {
      if (word.endsWith(".")) {
        prefix = word;
      } else {
        names.add(prefix + word);
      }
    }
    return names;
  }

  /** The types that every filter allows and that an application can name and make. */
  private Set<String> allowed(Set<Kind> kinds) {
    Set<String> names = new TreeSet<>();
    for (String name : ClassFilter.JDK_NAMES) {
      Class<?> type = find(name);
      if (type != null
          && isPublic(type)
          && !type.isInterface()
          && !Modifier.isAbstract(type.getModifiers())
          && kinds.contains(byDefault.of(type).kind())) {
        names.add(name);
      }
    }
    return names;
  }

  /** Null where this JDK does not have it yet. */
  private static @Nullable Class<?> find(String name) {
    try {
      return Class.forName(name, false, LOADER);
    } catch (ClassNotFoundException e) {
      return null;
    }
  }

  private static boolean isPublic(Class<?> type) {
    Class<?> outer = type.getDeclaringClass();
    return Modifier.isPublic(type.getModifiers()) && (outer == null || isPublic(outer));
  }

  @Test
  void whatIsStoredSmallIsAsListed() throws IOException {
    assertThat(names("small and fast with `kryo`"))
        .isEqualTo(allowed(Set.of(Kind.TABLE, Kind.ENUM)));
  }

  @Test
  void whatNeedsJavaSerializationIsAsListed() throws IOException {
    assertThat(names("Java serialization, the whole attribute"))
        .isEqualTo(allowed(Set.of(Kind.JAVA)));
  }

  @Test
  void whatIsNotSerializableIsRefusedWhateverIsAllowed() throws Exception {
    Set<String> names = names("refused: not `Serializable`");
    assertThat(names).hasSizeGreaterThan(5);
    for (String name : names) {
      assertThat(named(name).of(Class.forName(name)).refusal()).contains("is not Serializable");
    }
  }

  @Test
  void whatHasToBeNamedIsRefusedAndThenGoesByJavaSerialization() throws Exception {
    Set<String> names = names("refused until `allowedClasses` names them, then Java serialization");
    assertThat(names).hasSizeGreaterThan(5);
    for (String name : names) {
      Class<?> type = Class.forName(name);
      assertThat(byDefault.refusal(type)).as(name).contains("allows it with the pattern");
      assertThat(named(name).refusal(type)).as(name).isNull();
      assertThat(named(name).of(type).kind()).as(name).isEqualTo(Kind.JAVA);
    }
  }

  private static ClassRule named(String name) {
    String pattern = name.substring(0, name.lastIndexOf('.')) + ".*, java.util.*";
    return new ClassRule(LOADER, ClassFilter.of(pattern));
  }

  @Test
  void whatNoPatternAllowsIsAsListed() throws IOException {
    assertThat(words("refused always, as attacks are built from them: what begins so"))
        .containsExactly(ClassFilter.ABUSED);
  }
}
