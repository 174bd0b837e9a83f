package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodeException;
import jakarta.servlet.jsp.jstl.fmt.LocalizationContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** JSTL's LocalizationContext is not Serializable, so Java serialization would not store it. */
@Tag("R46")
@Tag("R43")
class NotSerializableLibraryTest {

  @Test
  void aLocalizationContextOfJstlIsRefusedByName() {
    LocalizationContext localization = new LocalizationContext();
    for (AttributeCodec codec :
        List.of(
            new KryoCodec(getClass().getClassLoader(), ClassFilter.of("jakarta.**")),
            new JavaCodec(getClass().getClassLoader(), ClassFilter.of("jakarta.**")))) {
      assertThat(codec.refusal(localization))
          .hasValue(LocalizationContext.class.getName() + " is not Serializable");
      for (Object value : List.of(localization, new HashMap<>(Map.of("a", localization)))) {
        assertThatThrownBy(() -> codec.encode(value))
            .isInstanceOf(EncodeException.class)
            .hasMessageContaining(LocalizationContext.class.getName())
            .hasMessageContaining("is not Serializable");
      }
    }
  }
}
