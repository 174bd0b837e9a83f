package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Many sessions that come and expire leave nothing behind. {@code -Dsojourn.test.sessions=1000000}
 * is the long form.
 */
class ManySessionsTest {

  private static final int SESSIONS = Integer.getInteger("sojourn.test.sessions", 20_000);

  private Duration time = Duration.ZERO;

  @ParameterizedTest
  @EnumSource
  @Timeout(300)
  @Tag("R80")
  void sessionsThatHaveExpiredLeaveNothingBehind(SessionPolicy.Freshness freshness)
      throws InterruptedException {
    InMemorySessionStore store = new InMemorySessionStore(() -> time);
    SessionPolicy policy = SessionPolicy.DEFAULT.with(freshness, Duration.ofSeconds(5));
    SessionRepository a = new SessionRepository(store, new TextCodec(), policy, () -> time);
    SessionRepository b = new SessionRepository(store, new TextCodec(), policy, () -> time);
    List<WeakReference<LiveSession>> some = new ArrayList<>();
    for (int i = 0; i < SESSIONS; i++) {
      SessionRepository node = i % 2 == 0 ? a : b;
      LiveSession session = node.create("s" + i, Duration.ofMinutes(30));
      node.beginUse(session);
      session.setAttribute("text", "value " + i);
      node.flush(session);
      node.endUse(session);
      if (i % 100 == 0) {
        some.add(new WeakReference<>(session));
        some.add(new WeakReference<>((i % 2 == 0 ? b : a).open("s" + i)));
      }
    }
    time = time.plus(Duration.ofHours(1));
    int ended = 0;
    // One claims all; the other one has copies that nobody has used for as long as sessions live.
    ended += a.scavenge(session -> {});
    ended += b.scavenge(session -> {});
    assertThat(ended).isEqualTo(SESSIONS);
    assertThat(a.size()).isZero();
    assertThat(b.size()).isZero();
    assertThat(store.claimExpired(1, Duration.ofMinutes(1))).isEmpty();
    assertThat(store.load(SessionKey.of("s0"), SessionStore.NO_VERSION))
        .isInstanceOf(LoadResult.Missing.class);
    while (some.stream().anyMatch(one -> one.get() != null)) {
      System.gc();
      Thread.sleep(10);
    }
  }
}
