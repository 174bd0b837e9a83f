package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RecentKeysTest {

  /** Two texts of one hash code, which take the same place. */
  private static final List<String> TWINS = List.of("Aa", "BB");

  private final RecentKeys keys = new RecentKeys();

  @Test
  @Tag("G10")
  void anIdHasItsOwnKeyWhateverCameBefore() {
    Random random = new Random(1);
    List<String> ids =
        IntStream.range(0, 3000).mapToObj(i -> Integer.toString(random.nextInt(3000), 36)).toList();
    for (String id : ids) {
      for (String twin : TWINS) {
        assertThat(keys.of(twin + id)).isEqualTo(SessionKey.of(twin + id));
      }
    }
  }

  @Test
  void aKeyIsMadeOnceForAnIdThatComesAgainUnlessItIsLong() {
    assertThat(keys.of("one")).isSameAs(keys.of("one"));
    String endless = "x".repeat(8000);
    assertThat(keys.of(endless)).isEqualTo(SessionKey.of(endless)).isNotSameAs(keys.of(endless));
  }
}
