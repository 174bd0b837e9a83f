package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What an application may count on whatever codec it has: each value, stored and read again, is
 * what Java serialization would have made of it.
 */
@Tag("R45")
@Tag("G8")
abstract class AttributeCodecContract {

  static final ClassLoader LOADER = AttributeCodecContract.class.getClassLoader();
  static final ClassFilter FILTER =
      ClassFilter.of(
          "io.sojourn.codec.*, java.lang.invoke.SerializedLambda " + LibraryValues.PACKAGES);
  private static final SessionKey ORIGIN = SessionKey.of("6A1F2C");

  private final AttributeCodec codec = codec();

  /** A new codec with {@link #FILTER}. */
  abstract AttributeCodec codec();

  @Test
  void thereAreAsManyKindsOfValuesAsPromised() {
    assertThat(Stream.concat(RoundTripTest.values(), LibraryValues.all()).count())
        .isGreaterThanOrEqualTo(120);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("io.sojourn.codec.RoundTripTest#values")
  void aValueComesBackAsJavaSerializationBringsItBack(String name, int format, Object value)
      throws Exception {
    comesBack(value);
  }

  @Tag("R46")
  @ParameterizedTest(name = "{0}")
  @MethodSource("io.sojourn.codec.LibraryValues#all")
  void whatLibrariesPutIntoSessionsComesBackToo(String name, Object value) throws Exception {
    comesBack(value);
  }

  private void comesBack(Object value) throws Exception {
    String expected = describe(RoundTripTest.byJava(value));

    EncodedValue encoded = codec.encode(value);
    EncodedValue stored = codec.seal(encoded, ORIGIN, "attribute");
    EncodedValue opened = codec.open(EncodedValue.of(stored.bytes()), ORIGIN, "attribute");

    assertThat(opened).isEqualTo(encoded);
    for (AttributeCodec reader :
        List.of(codec, new KryoCodec(LOADER, FILTER), new JavaCodec(LOADER, FILTER))) {
      assertThat(describe(reader.decode(opened))).isEqualTo(expected);
    }
  }

  /** Without the names that the JVM makes up for lambdas. */
  private static String describe(Object value) {
    return Description.of(value).replaceAll("\\$\\$Lambda[$/0-9a-fx]+", "\\$\\$Lambda");
  }
}
