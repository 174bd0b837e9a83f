package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class VersionCookiesTest {

  private static final LiveSession SESSION = session("s", Instant.EPOCH);
  private static final LiveSession OTHER = session("other", Instant.EPOCH);

  private static LiveSession session(String id, Instant created) {
    return new LiveSession(
        id,
        IdleTimeout.NEVER,
        created,
        new TextCodec(),
        SessionPolicy.DEFAULT,
        new RefusedClasses());
  }

  private static VersionCookies request(Map<String, String> jar) {
    VersionCookies cookies = new VersionCookies("shop");
    jar.forEach(cookies::came);
    return cookies;
  }

  private static void keep(Map<String, String> jar, List<VersionCookies.Change> changes) {
    for (VersionCookies.Change change : changes) {
      @Nullable String value = change.value();
      if (value == null) {
        jar.remove(change.suffix());
      } else {
        jar.put(change.suffix(), value);
      }
    }
  }

  private static Map<String, String> jarThatHasSeen(LiveSession session, long version) {
    Map<String, String> jar = new HashMap<>();
    keep(jar, request(jar).see(session, version));
    return jar;
  }

  @Test
  void aClientTellsTheVersionThatItWasTold() {
    Map<String, String> jar = new HashMap<>();
    assertThat(request(jar).seen(SESSION)).isEqualTo(SessionStore.NO_VERSION);
    for (long version = 1; version <= 100; version++) {
      keep(jar, request(jar).see(SESSION, version));
      assertThat(request(jar).seen(SESSION)).isEqualTo(version);
      assertThat(jar).hasSize(1);
      assertThat(request(jar).see(SESSION, version)).as("nothing new").isEmpty();
    }
  }

  @Test
  void aVersionCountsForOneSessionIdOnly() {
    Map<String, String> jar = jarThatHasSeen(SESSION, 7);
    assertThat(request(jar).seen(OTHER)).isEqualTo(SessionStore.NO_VERSION);
    for (long version = 1; version <= 8; version++) {
      keep(jar, request(jar).see(OTHER, version));
      assertThat(request(jar).seen(OTHER)).isEqualTo(version);
    }
    assertThat(request(jar).seen(SESSION)).isEqualTo(SessionStore.NO_VERSION);
    assertThat(jar).as("what is of no use goes in time").hasSize(1);
  }

  /** Where several applications share ids and cookies, or a session begins anew under an old id. */
  @Test
  void aVersionCountsForOneApplicationAndOneSessionOnly() {
    Map<String, String> jar = jarThatHasSeen(SESSION, 7);
    VersionCookies ofBlog = new VersionCookies("blog");
    jar.forEach(ofBlog::came);
    assertThat(ofBlog.seen(SESSION)).isEqualTo(SessionStore.NO_VERSION);
    LiveSession begunAgain = session("s", Instant.EPOCH.plusMillis(1));
    assertThat(request(jar).seen(begunAgain)).isEqualTo(SessionStore.NO_VERSION);
  }

  @Test
  void aClientWhoseSessionIsNotKnownYetIsServedFromTheStore() {
    Map<String, String> jar = jarThatHasSeen(SESSION, 7);
    keep(jar, request(jar).unsee());
    assertThat(jar).isEmpty();
  }

  /** The store has gone back. */
  @Test
  void aVersionMayFall() {
    Map<String, String> jar = jarThatHasSeen(SESSION, 100);
    keep(jar, request(jar).see(SESSION, 3));
    assertThat(request(jar).seen(SESSION)).isEqualTo(3);
    assertThat(jar).hasSize(1);
  }

  @Test
  void aClientWhoseSessionHasEndedIsServedFromTheStore() {
    Map<String, String> jar = jarThatHasSeen(SESSION, 7);
    VersionCookies cookies = request(jar);
    keep(jar, cookies.see(SESSION, 8));
    List<VersionCookies.Change> late = request(jar).see(SESSION, 8);
    keep(jar, cookies.end(SESSION, 8));
    assertThat(request(jar).seen(SESSION)).isEqualTo(Long.MAX_VALUE);
    assertThat(jar).hasSize(1);
    keep(jar, late);
    assertThat(request(jar).seen(SESSION)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void whatIsToldTwiceIsSentOnceUnlessTheResponseWasReset() {
    VersionCookies cookies = request(Map.of());
    assertThat(cookies.see(SESSION, 1)).hasSize(1);
    assertThat(cookies.see(SESSION, 1)).isEmpty();
    cookies.forgetTold();
    assertThat(cookies.see(SESSION, 1)).hasSize(1);
  }

  @Test
  void whatIsTakenBackBeforeTheResponseLeavesIsTakenBackWhole() {
    Map<String, String> jar = jarThatHasSeen(SESSION, 7);
    VersionCookies cookies = request(jar);
    keep(jar, cookies.unsee(SESSION, 7));
    keep(jar, cookies.see(SESSION, 7));
    assertThat(request(jar).seen(SESSION)).isEqualTo(7);
    assertThat(jar).hasSize(1);
  }

  @Test
  @Tag("G10")
  void whatNobodyOfUsHasWrittenCountsAsNothingOrAsMoreThanAnybodyHas() {
    String ours = jarThatHasSeen(SESSION, 7).values().iterator().next();
    String tag = ours.substring(0, ours.length() - 1);
    for (String forged :
        List.of(
            tag + "99999999999999999999999999",
            tag + "9223372036854775807",
            tag + "9223372036854775808",
            tag + "-5",
            tag + "+5",
            tag + "x",
            tag + "\u0667",
            tag)) {
      for (String slot : List.of("7", "9", "N", "V")) {
        Map<String, String> jar = new HashMap<>(Map.of(slot, forged));
        assertThat(request(jar).seen(SESSION)).as(forged).isEqualTo(Long.MAX_VALUE);
        keep(jar, request(jar).see(SESSION, 7));
        assertThat(request(jar).seen(SESSION)).as("it is taken away: " + forged).isEqualTo(7);
      }
    }
    for (String forged : List.of("", "7", "x", "..", "A".repeat(5000), "\u0000", tag + "0")) {
      assertThat(request(Map.of("7", forged)).seen(SESSION)).as(forged).isZero();
    }
    VersionCookies twice = request(Map.of("7", tag + "3"));
    twice.came("7", tag + "5");
    twice.came("7", "x");
    twice.came("W", tag + "9");
    twice.came("", tag + "9");
    twice.came("77", tag + "9");
    assertThat(twice.seen(SESSION)).isEqualTo(5);
    VersionCookies flood = new VersionCookies("shop");
    for (int i = 0; i < 10_000; i++) {
      flood.came(Integer.toString(i % 32, 32).toUpperCase(Locale.ROOT), "x" + i);
    }
    assertThat(flood.see(SESSION, 3)).hasSizeLessThanOrEqualTo(VersionCookies.SLOTS);
  }

  /** Also one of a copy that is many versions older, as it may be for the time of maxStaleness. */
  @Test
  @Tag("G1")
  void anAnswerThatIsOvertakenByOneFifteenVersionsLaterTakesNothingOfItAway() {
    for (int later = 1; later < 16; later++) {
      for (int before = 1; before <= 100; before++) {
        Map<String, String> jar = jarThatHasSeen(SESSION, 1000L - before);
        List<VersionCookies.Change> late = request(jar).see(SESSION, 1000);
        keep(jar, request(jar).see(SESSION, 1000L + later));
        keep(jar, late);
        assertThat(request(jar).seen(SESSION))
            .as("told %d and late 1000 after %d", 1000 + later, 1000 - before)
            .isEqualTo(1000L + later);
      }
    }
  }

  /**
   * Requests of one client that overlap, whose answers reach it in any order: it must tell the
   * highest version that it was told, as long as no answer is overtaken by one that is sixteen
   * versions later.
   */
  @Test
  @Tag("G1")
  void answersThatOvertakeEachOtherSetNothingBack() {
    long seed = Long.getLong("sojourn.test.seed", System.nanoTime());
    Random random = new Random(seed);
    Map<String, String> jar = new HashMap<>();
    long version = 0;
    long highest = 0;
    List<Answer> underWay = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      boolean full =
          !underWay.isEmpty() && version - underWay.get(0).version >= VersionCookies.BEHIND - 1;
      if (underWay.isEmpty() && random.nextInt(10) == 0) {
        version += random.nextInt(40); // on another device
      }
      if (!full && random.nextBoolean()) {
        version += random.nextInt(2);
        if (version > 0) {
          underWay.add(new Answer(version, request(jar).see(SESSION, version)));
        }
      } else if (!underWay.isEmpty()) {
        int next = full ? 0 : random.nextInt(underWay.size());
        Answer answer = underWay.remove(next);
        keep(jar, answer.changes);
        highest = Math.max(highest, answer.version);
        assertThat(request(jar).seen(SESSION)).as("seed " + seed).isEqualTo(highest);
      }
    }
  }

  private record Answer(long version, List<VersionCookies.Change> changes) {}
}
