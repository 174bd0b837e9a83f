package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.SessionException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms are those of the MessagePack specification. */
class ScriptOutputTest {

  @ParameterizedTest
  @CsvSource({
    "00, 0",
    "7f, 127",
    "ff, -1",
    "e0, -32",
    "ccff, 255",
    "cdffff, 65535",
    "ceffffffff, 4294967295",
    "cf0020000000000000, 9007199254740992",
    "d080, -128",
    "d18000, -32768",
    "d280000000, -2147483648",
    "d3ffe0000000000000, -9007199254740992"
  })
  void numbersOfAllSizesAreRead(String packed, long number) {
    assertThat(unpacked(packed)).isEqualTo(number);
  }

  @ParameterizedTest
  @CsvSource({"a0, 0", "bf, 31", "d9ff, 255", "daffff, 65535", "db00010000, 65536"})
  void stringsOfAllSizesAreRead(String packed, int length) {
    assertThat((byte[]) unpacked(packed + "2a".repeat(length)))
        .asString(US_ASCII)
        .isEqualTo("*".repeat(length));
  }

  @ParameterizedTest
  @CsvSource({"90, 0", "9f, 15", "dc0010, 16", "dd00010000, 65536"})
  void listsOfAllSizesAreRead(String packed, int size) {
    assertThat((List<?>) unpacked(packed + "05".repeat(size)))
        .hasSize(size)
        .allSatisfy(element -> assertThat(element).isEqualTo(5L));
  }

  @Test
  void listsWithinListsAreReadPackedOrNot() {
    List<?> packed = list(unpacked("9301" + "92a16102" + "90"));
    assertThat(packed.get(0)).isEqualTo(1L);
    assertThat((byte[]) list(packed.get(1)).get(0)).containsExactly('a');
    assertThat(list(packed.get(1)).get(1)).isEqualTo(2L);
    assertThat(list(packed.get(2))).isEmpty();

    // As the driver tells it.
    ScriptOutput output = new ScriptOutput(() -> {});
    output.multi(3);
    output.set(1);
    output.complete(1);
    output.multi(2);
    output.set(ByteBuffer.wrap(new byte[] {'a'}));
    output.complete(2);
    output.set(2);
    output.complete(2);
    output.complete(1);
    output.multi(0);
    output.complete(1);
    output.complete(0);
    assertThat(output.get()).usingRecursiveComparison().isEqualTo(packed);
  }

  @Test
  void aNumberAndNothingAreAnswersToo() {
    ScriptOutput number = new ScriptOutput(() -> {});
    number.set(-1);
    assertThat(number.get()).isEqualTo(-1L);

    ScriptOutput nothing = new ScriptOutput(() -> {});
    nothing.set((ByteBuffer) null);
    assertThat(nothing.get()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a5",
        "d9ff41",
        "db7fffffff",
        "dbffffffff",
        "dd7fffffff",
        "dc0002",
        "ddffffffff",
        "c0",
        "c3",
        "81a16101",
        "cb3ff0000000000000",
        "91919191919191919191919105"
      })
  void anythingElseIsRefusedBeforeMemoryIsTakenForIt(String packed) {
    assertThatThrownBy(() -> unpacked(packed))
        .isInstanceOf(SessionException.class)
        .hasMessageContaining("script");
  }

  private static @Nullable Object unpacked(String hex) {
    ScriptOutput output = new ScriptOutput(() -> {});
    output.set(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
    return output.get();
  }

  private static List<?> list(@Nullable Object answer) {
    if (answer instanceof List<?> list) {
      return list;
    }
    throw new AssertionError("Not a list: " + answer);
  }
}
