package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each bound holds when a value is encoded and when it is decoded, in both forms. */
@Tag("G10")
class CodecLimitsTest {

  private static final ClassLoader LOADER = CodecLimitsTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("");

  private static List<AttributeCodec> codecs(CodecLimits limits) {
    return List.of(new KryoCodec(LOADER, FILTER, limits), new JavaCodec(LOADER, FILTER, limits));
  }

  private static void holds(CodecLimits limits, Object within, Object beyond, String message) {
    List<AttributeCodec> codecs = codecs(limits);
    for (int i = 0; i < codecs.size(); i++) {
      AttributeCodec codec = codecs.get(i);
      AttributeCodec without = codecs(CodecLimits.DEFAULT).get(i);
      assertThat(codec.decode(codec.encode(within))).isEqualTo(within);
      assertThatThrownBy(() -> codec.encode(beyond))
          .isInstanceOf(EncodeException.class)
          .hasMessageContaining(message);
      EncodedValue stored = without.encode(beyond);
      assertThatThrownBy(() -> codec.decode(stored))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining(message);
      assertThat(codec.decode(codec.encode(within))).isEqualTo(within);
    }
  }

  @Test
  void bytesAreBounded() {
    for (Object beyond : List.of("x".repeat(2_000), new ArrayList<>(List.of("x".repeat(1_001))))) {
      for (AttributeCodec codec : codecs(new CodecLimits(1_000, 200, 1_000_000))) {
        assertThatThrownBy(() -> codec.encode(beyond)).isInstanceOf(EncodeException.class);
        for (AttributeCodec without : codecs(CodecLimits.DEFAULT)) {
          EncodedValue stored = without.encode(beyond);
          assertThatThrownBy(() -> codec.decode(stored))
              .isInstanceOf(DecodeException.class)
              .hasMessageContaining("more than");
        }
        assertThat(codec.decode(codec.encode("x".repeat(900)))).isEqualTo("x".repeat(900));
      }
    }
  }

  @Test
  void depthIsBounded() {
    for (AttributeCodec codec : codecs(new CodecLimits(1_000_000, 20, 1_000_000))) {
      assertThat(codec.decode(codec.encode(nested(8)))).isEqualTo(nested(8));
      assertThatThrownBy(() -> codec.encode(nested(30))).isInstanceOf(EncodeException.class);
      for (AttributeCodec without : codecs(CodecLimits.DEFAULT)) {
        EncodedValue stored = without.encode(nested(30));
        assertThatThrownBy(() -> codec.decode(stored)).isInstanceOf(DecodeException.class);
      }
    }
  }

  /** A text in the innermost list is one level more. */
  @Test
  void depthIsBoundedToTheLevel() {
    AttributeCodec codec = codecs(new CodecLimits(1_000_000, 20, 1_000_000)).get(0);
    AttributeCodec without = codecs(CodecLimits.DEFAULT).get(0);

    assertThat(codec.decode(codec.encode(nested(19)))).isEqualTo(nested(19));
    assertThatThrownBy(() -> codec.encode(nested(20))).isInstanceOf(EncodeException.class);
    EncodedValue stored = without.encode(nested(20));
    assertThatThrownBy(() -> codec.decode(stored)).isInstanceOf(DecodeException.class);
  }

  private static Object nested(int depth) {
    Object inner = "x";
    for (int i = 0; i < depth; i++) {
      inner = new ArrayList<>(List.of(inner));
    }
    return inner;
  }

  @Test
  void objectsAreBounded() {
    List<Object> within = new ArrayList<>();
    List<Object> beyond = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      (i < 50 ? within : beyond).add("element " + i);
    }
    holds(new CodecLimits(1_000_000, 200, 100), within, beyond, "made of more than 100 objects");
  }

  @Test
  void aHostilePayloadOfNothingButNullsIsBoundedToo() {
    KryoCodec codec = new KryoCodec(LOADER, FILTER);
    EncodedValue stored =
        Stored.byHand(
            out -> {
              out.writeVarInt(33, true);
              out.writeVarInt(1, true);
              out.writeVarInt(1_500_000, true);
              out.writeBytes(new byte[1_500_000]);
            });

    assertThatThrownBy(() -> codec.decode(stored))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("objects");
    assertThatThrownBy(() -> codec.encode(new ArrayList<>(Collections.nCopies(1_500_000, null))))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("objects");
  }

  @Test
  void aBoundThatIsNoneIsRefused() {
    assertThatThrownBy(() -> new CodecLimits(0, 1, 1)).hasMessageContaining("bytes");
    assertThatThrownBy(() -> new CodecLimits((64 << 20) + 1, 1, 1)).hasMessageContaining("bytes");
    assertThatThrownBy(() -> new CodecLimits(1, 1_001, 1)).hasMessageContaining("depth");
    assertThatThrownBy(() -> new CodecLimits(1, 1, 0)).hasMessageContaining("objects");
  }
}
