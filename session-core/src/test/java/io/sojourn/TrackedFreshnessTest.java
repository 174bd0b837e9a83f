package io.sojourn;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node whose store tells it of changes, until it does not. */
class TrackedFreshnessTest {

  private static final String ID = "s";
  private static final IdleTimeout TIMEOUT =
      IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));

  private final TellingStore store = new TellingStore();
  private final SessionRepository node =
      new SessionRepository(
          store,
          new TextCodec(),
          SessionPolicy.DEFAULT.with(SessionPolicy.Freshness.TRACKED, Duration.ofMinutes(10)));

  /** Tells when the test says so. */
  private static final class TellingStore implements SessionStore {
    private InMemorySessionStore inner = new InMemorySessionStore();
    private @Nullable ChangeListener listener;
    private int loads;

    @Override
    public Runnable watch(ChangeListener itsListener) {
      listener = itsListener;
      itsListener.watching();
      return () -> {};
    }

    /** The primary is lost, and a replica takes over that has the session as it is given here. */
    void failOver(NewSession session) {
      ChangeListener told = requireNonNull(listener);
      told.lost();
      inner = new InMemorySessionStore();
      assertThat(inner.create(session)).isTrue();
      told.watching();
    }

    @Override
    public boolean create(NewSession session) {
      return inner.create(session);
    }

    @Override
    public LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
      loads++;
      return inner.load(key, knownVersion, unasked);
    }

    @Override
    public OptionalLong save(SessionDelta delta) {
      return inner.save(delta);
    }

    @Override
    public OptionalLong save(SessionDelta delta, long holder) {
      return inner.save(delta, holder);
    }

    @Override
    public Lease lease(SessionKey key, long holder, Duration leaseTime) {
      return inner.lease(key, holder, leaseTime);
    }

    @Override
    public void release(SessionKey origin, long holder) {
      inner.release(origin, holder);
    }

    @Override
    public boolean rename(SessionKey key, SessionKey newKey) {
      return inner.rename(key, newKey);
    }

    @Override
    public boolean remove(SessionKey origin) {
      return inner.remove(origin);
    }

    @Override
    public List<SessionRecord> claimExpired(int limit, Duration claimTime) {
      return inner.claimExpired(limit, claimTime);
    }

    @Override
    public void ping() {
      inner.ping();
    }

    @Override
    public void close() {
      inner.close();
    }
  }

  private @Nullable Object get(String name) {
    LiveSession session =
        requireNonNull(node.open(ID, copy -> SessionStore.FIRST_VERSION), "no session");
    return session.attribute(name);
  }

  private static EncodedValue text(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  /** What it was saved as since has the number that the copy has, or a higher one. */
  @Test
  @Tag("G9")
  @Tag("R8")
  void noCopyFromBeforeAFailoverIsServedAfterIt() {
    for (int further = 0; further < 3; further++) {
      LiveSession session = node.create(ID, Duration.ofMinutes(30));
      session.setAttribute("text", "lost");
      session.setAttribute("gone", "lost");
      assertThat(node.flush(session)).isTrue();
      assertThat(get("text")).isEqualTo("lost");
      assertThat(store.loads).isZero();

      store.failOver(
          new NewSession(
              session.key(),
              session.knownVersion() + further,
              session.creationTime(),
              TIMEOUT,
              Map.of("text", text("kept"))));
      assertThat(get("text")).isEqualTo("kept");
      assertThat(get("gone")).isNull();
      assertThat(store.loads).isEqualTo(1);
      assertThat(node.invalidate(requireNonNull(node.open(ID)))).isTrue();
      store.loads = 0;
    }
  }

  /** It stays the session of the request that is using it, which nothing is taken away from. */
  @Test
  @Tag("G2")
  void aFailoverTakesNothingFromARequestThatIsUnderWay() {
    LiveSession session = node.create(ID, Duration.ofMinutes(30));
    session.setAttribute("text", "one");
    assertThat(node.flush(session)).isTrue();
    node.beginUse(session);
    session.setAttribute("text", "two");
    store.failOver(
        new NewSession(
            session.key(),
            session.knownVersion(),
            session.creationTime(),
            TIMEOUT,
            Map.of("text", text("one"))));
    assertThat(get("text")).isEqualTo("two");
    assertThat(node.flush(session)).isTrue();
    node.endUse(session);
    assertThat(get("text")).isEqualTo("two");
  }
}
