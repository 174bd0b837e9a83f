package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Few bytes and many, on both sides of where one more is needed. */
  static Stream<BigInteger> integers() {
    return Stream.of(0, 7, 8, 15, 16, 31, 32, 55, 56, 59, 60, 62, 63, 64, 71, 200)
        .map(BigInteger.ONE::shiftLeft)
        .flatMap(power -> Stream.of(power, power.subtract(BigInteger.ONE)))
        .flatMap(number -> Stream.of(number, number.negate(), number.not()))
        .flatMap(
            number ->
                Stream.of(number, number.add(BigInteger.TEN.pow(18)), BigInteger.TEN.pow(18)));
  }

  @ParameterizedTest
  @MethodSource("integers")
  void numbersAreTwosComplementsOfTheLeastLength(BigInteger number) {
    KryoCodec codec =
        new KryoCodec(getClass().getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));
    byte[] complement = number.toByteArray();
    String hex = "%02x".formatted(complement.length) + HexFormat.of().formatHex(complement);

    for (int scale : new int[] {0, 2, -3, 63, -64}) {
      BigDecimal decimal = new BigDecimal(number, scale);
      // The second one is not at the top, where objects are written otherwise.
      EncodedValue encoded = codec.encode(new Object[] {number, decimal});

      String zigzag = "%02x".formatted(scale << 1 ^ scale >> 31);
      assertThat(HexFormat.of().formatHex(encoded.bytes()).substring(12))
          .isEqualTo("3f0102" + "0b" + hex + "0c" + zigzag + hex);
      assertThat((Object[]) codec.decode(encoded)).containsExactly(number, decimal);
      assertThat(codec.decode(codec.encode(decimal))).isEqualTo(decimal);
    }
  }

  /** Behind an array of one object, so that it is not at the top. */
  private Object readByHand(String hex) {
    KryoCodec codec =
        new KryoCodec(getClass().getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));
    byte[] payload = HexFormat.of().parseHex("3f0101" + hex);
    Object[] value =
        (Object[]) codec.decode(Stored.byHand(out -> out.writeBytes(payload, 0, payload.length)));
    return value[0];
  }

  @Test
  void numbersOfMoreBytesThanTheyNeedAreReadToo() {
    assertThat(readByHand("0b020001")).isEqualTo(BigInteger.ONE);
    assertThat(readByHand("0b08" + "ff".repeat(8))).isEqualTo(BigInteger.ONE.negate());
    assertThat(readByHand("0b0900" + "ff".repeat(8)))
        .isEqualTo(BigInteger.TWO.pow(64).subtract(BigInteger.ONE));
    assertThat(readByHand("0c0402ff85")).isEqualTo(new BigDecimal("-1.23"));
    assertThat(readByHand("0c000880" + "00".repeat(7)))
        .isEqualTo(BigDecimal.valueOf(Long.MIN_VALUE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0b00", "0c0400", "0b0201", "0b0801020304", "0b", "0c04", "0c"})
  void numbersOfNoBytesOrTooFewAreRefused(String hex) {
    assertThatThrownBy(() -> readByHand(hex)).isInstanceOf(DecodeException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, Integer.MIN_VALUE + 1, Integer.MAX_VALUE})
  void decimalsMayBeOfAnyScale(int scale) {
    KryoCodec codec =
        new KryoCodec(getClass().getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));
    BigDecimal decimal = BigDecimal.valueOf(-4711, scale);

    assertThat(codec.decode(codec.encode(decimal))).isEqualTo(decimal);
  }
}
