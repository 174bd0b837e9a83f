package io.sojourn.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.EncodedValue;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;

/**
 * What has been stored is read for ever. {@code format-1.txt} has one value of each kind as the
 * first release stored it: a name, a space, Base64.
 *
 * <p>A case that fails to decode means that sessions of running sites are lost: the change has to
 * go, or the new form needs a format byte of its own. A case that encodes otherwise than it did
 * means that nodes of two versions see changes where there are none; if that is meant, the old line
 * stays, under another name. A new kind of value needs a line, which the test prints.
 */
@Tag("R40")
@Tag("G8")
class GoldenFileTest {

  private static final int LARGEST = 2_000;

  /**
   * What a line's name ends with that is kept from before a kind of value got a form of its own.
   */
  private static final String FORMERLY = ", by Java serialization";

  /** They name lines of code or classes that a compiler makes up. */
  private static final Set<String> NOT_STABLE = Set.of("exception", "lambda");

  /** Sets of what has no order of its own: their order differs from JVM to JVM. */
  private static final Set<String> IN_ANY_ORDER =
      Set.of(
          "Set.of the application's own",
          "Set.of more of the application's own",
          "Map.of the application's own");

  private final KryoCodec kryo =
      new KryoCodec(getClass().getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));
  private final JavaCodec java =
      new JavaCodec(getClass().getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));

  static Map<String, EncodedValue> golden() throws IOException {
    Map<String, EncodedValue> golden = new LinkedHashMap<>();
    try (InputStream in =
        Objects.requireNonNull(GoldenFileTest.class.getResourceAsStream("format-1.txt"))) {
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        int space = line.lastIndexOf(' ');
        byte[] bytes = Base64.getDecoder().decode(line.substring(space + 1));
        golden.put(line.substring(0, space), EncodedValue.of(bytes));
      }
    }
    return golden;
  }

  private static Map<String, Object> values() {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Arguments arguments : RoundTripTest.values().toList()) {
      String name = (String) arguments.get()[0];
      if (!NOT_STABLE.contains(name)) {
        values.put(name, Objects.requireNonNull(arguments.get()[2]));
      }
    }
    return values;
  }

  @Test
  void everyKindOfValueIsReadAsItWasStored() throws IOException {
    Map<String, Object> values = values();
    golden()
        .forEach(
            (name, stored) -> {
              String kind = name.replace(FORMERLY, "");
              String expected =
                  Description.of(byJava(Objects.requireNonNull(values.get(kind), name)));
              assertThat(Description.of(kryo.decode(stored))).as(name).isEqualTo(expected);
              assertThat(Description.of(java.decode(stored))).as(name).isEqualTo(expected);
            });
  }

  private static Object byJava(Object value) {
    try {
      return RoundTripTest.byJava(value);
    } catch (IOException | ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theFastFormIsStillWrittenAsItWas() throws IOException {
    List<String> changed = new ArrayList<>();
    Map<String, Object> values = values();
    golden()
        .forEach(
            (name, stored) -> {
              if (name.endsWith(FORMERLY)) {
                return;
              }
              EncodedValue now = kryo.encode(Objects.requireNonNull(values.get(name), name));
              boolean comparable =
                  (stored.bytes()[0] == 1 || now.bytes()[0] == 1) && !IN_ANY_ORDER.contains(name);
              if (comparable && !now.equals(stored)) {
                changed.add(line(name, now));
              }
            });

    assertThat(changed).isEmpty();
  }

  @Test
  void everyKindOfValueHasALine() throws IOException {
    Map<String, Object> missing = values();
    golden().keySet().forEach(missing::remove);
    List<String> lines = new ArrayList<>();
    missing.forEach(
        (name, value) -> {
          EncodedValue encoded = kryo.encode(value);
          if (encoded.size() <= LARGEST) {
            lines.add(line(name, encoded));
          }
        });

    assertThat(lines).as(String.join("\n", lines)).isEmpty();
  }

  private static String line(String name, EncodedValue value) {
    return name + " " + Base64.getEncoder().encodeToString(value.bytes());
  }
}
