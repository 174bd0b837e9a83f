package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sojourn.EncodedValue;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bytes that {@code docs/format.md} describes. A case that fails here means that what is stored
 * in running sites cannot be read any more: the change needs a new format byte.
 */
@Tag("G8")
class FormatTest {

  static Stream<Arguments> forms() {
    Object shared = new ArrayList<>(List.of(true));
    return Stream.of(
        arguments("text", "Grüß", "0208" + "4772fcdf"),
        arguments("wide text", "a€", "0205" + "61e282ac"),
        arguments("int", -3, "0705"),
        arguments("long", 300L, "08d804"),
        arguments("decimal", new BigDecimal("19.99"), "0c040207cf"),
        arguments("UUID", new UUID(1, 2), "0d" + "0100000000000000" + "0200000000000000"),
        arguments("date", LocalDate.of(1970, 1, 2), "1402"),
        arguments("array", new int[] {1, 258}, "3b0102" + "01000000" + "02010000"),
        arguments("list", new ArrayList<>(Arrays.asList(null, "x")), "210102" + "00" + "020278"),
        arguments("reference", new Object[] {shared, shared}, "3f0102" + "2101010301" + "2103"),
        arguments("tree", new TreeMap<>(), "29010000"),
        arguments(
            "Map.of", java.util.Map.of("b", 1, "a", 2), "3001" + "04020261070402026207" + "02"),
        arguments(
            "records",
            new Object[] {new Samples.Point(1, -1), new Samples.Point(2, 300)},
            "3f0102"
                + ("0127" + "52" + "3c" + hex("io.sojourn.codec.Samples$Point"))
                + "02"
                + ("49" + "0278" + "49" + "0279")
                + "010201"
                + "500104d804"),
        arguments(
            "enum",
            Samples.Color.RED,
            "0120" + "453c" + hex("io.sojourn.codec.Samples$Color") + "06524544"));
  }

  private static String hex(String ascii) {
    return HexFormat.of().formatHex(ascii.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("forms")
  void staysAsItIs(String name, Object value, String payload) {
    KryoCodec codec =
        new KryoCodec(getClass().getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));

    EncodedValue encoded = codec.encode(value);
    String bytes = HexFormat.of().formatHex(encoded.bytes());

    assertThat(bytes).startsWith("0100");
    assertThat(bytes.substring(12)).isEqualTo(payload);
    assertThat(Description.of(codec.decode(encoded))).isEqualTo(Description.of(value));
  }
}
