package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AttributeNamesTest {

  @Test
  void aNameIsTheOneThatIsWrittenInTheApplicationsCode() {
    assertThat(AttributeNames.shared(cameFromTheStore("cart"))).isSameAs("cart");
    assertThat(AttributeNames.shared(cameFromTheStore(""))).isSameAs("");
  }

  @Test
  void aNameIsEqualToTheOneThatCameWhateverCameBefore() {
    Random random = new Random(1);
    for (int i = 0; i < 5000; i++) {
      // Of each two, both take the same place.
      String name = (i % 2 == 0 ? "Aa" : "BB") + random.nextInt(1000);
      assertThat(AttributeNames.shared(cameFromTheStore(name))).isEqualTo(name);
    }
  }

  @Test
  void anEndlessNameIsNotKept() {
    String endless = "x".repeat(8000);
    assertThat(AttributeNames.shared(endless)).isSameAs(endless);
    assertThat(AttributeNames.shared(cameFromTheStore(endless)))
        .isEqualTo(endless)
        .isNotSameAs(endless);
  }

  private static String cameFromTheStore(String name) {
    return new String(name.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }
}
