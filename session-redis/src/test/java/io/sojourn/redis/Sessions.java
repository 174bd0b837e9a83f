package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Words that the tests of this package share. */
final class Sessions {

  static final IdleTimeout HALF_AN_HOUR =
      IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));

  /**
   * For what comes sooner or later. Sentinels that have noticed that they stood still (TILT) do
   * nothing for 30 seconds.
   */
  static final Duration PATIENCE = Duration.ofSeconds(90);

  private Sessions() {}

  static SessionKey newKey() {
    return SessionKey.of(UUID.randomUUID().toString());
  }

  /** One that a session which goes by this key may go by. */
  static SessionKey newKeyFor(SessionKey key) {
    return newKey(other -> RedisKeys.bucketOf(other) == RedisKeys.bucketOf(key));
  }

  /** One in another bucket. */
  static SessionKey newKeyElsewhere(SessionKey key) {
    return newKey(other -> RedisKeys.bucketOf(other) != RedisKeys.bucketOf(key));
  }

  private static SessionKey newKey(Predicate<SessionKey> wanted) {
    return Stream.generate(Sessions::newKey).filter(wanted).findFirst().orElseThrow();
  }

  static NewSession session(SessionKey key, String name, String value) {
    return new NewSession(
        key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, Map.of(name, value(value)));
  }

  static SessionKey created(SessionStore store) {
    SessionKey key = newKey();
    if (!store.create(session(key, "a", "1"))) {
      throw new AssertionError("The key is taken");
    }
    return key;
  }

  static SessionDelta set(SessionKey origin, String name, String value) {
    return new SessionDelta(
        origin,
        Map.of(name, new AttributeChange.Set(value(value))),
        Optional.empty(),
        Duration.ZERO);
  }

  /** Saves until it works; what fails may have been done. */
  static void awaitSave(SessionStore store, SessionKey origin, String value) {
    await()
        .atMost(PATIENCE)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(() -> store.save(set(origin, "a", value)).isPresent());
  }

  static SessionDelta timeout(SessionKey origin, IdleTimeout timeout) {
    return new SessionDelta(origin, Map.of(), Optional.of(timeout), Duration.ZERO);
  }

  static EncodedValue value(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  static SessionRecord found(SessionStore store, SessionKey key) {
    if (store.load(key, SessionStore.NO_VERSION) instanceof LoadResult.Found found) {
      return found.session();
    }
    throw new AssertionError("No session has the key " + key);
  }

  static boolean isMissing(SessionStore store, SessionKey key) {
    return store.load(key, SessionStore.NO_VERSION) instanceof LoadResult.Missing;
  }
}
