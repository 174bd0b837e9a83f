package io.sojourn.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.InMemorySessionStore;
import io.sojourn.LiveSession;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is counted of a codec, by a clock that only the codec moves. */
class MeasuredCodecTest {

  private static final String ID = "s";

  private final AtomicLong seconds = new AtomicLong();
  private final InMemorySessionStore store = new InMemorySessionStore();
  private final MeasuredCodec codec =
      new MeasuredCodec(new SlowCodec(), () -> TimeUnit.SECONDS.toNanos(seconds.get()));
  private final SessionRepository node = new SessionRepository(store, codec, SessionPolicy.DEFAULT);

  /** A value that can change. */
  private static final class Note {
    String text;

    Note(String text) {
      this.text = text;
    }
  }

  /** Takes a second to encode a note and ten to decode it, and loses the spaces around it. */
  private final class SlowCodec implements AttributeCodec {

    @Override
    public EncodedValue encode(Object value) {
      seconds.addAndGet(1);
      return text(((Note) value).text);
    }

    @Override
    public Object decode(EncodedValue value) {
      seconds.addAndGet(10);
      return new Note(new String(value.bytes(), UTF_8).strip());
    }

    @Override
    public boolean isImmutable(Object value) {
      return false;
    }

    @Override
    public Optional<String> refusal(Object value) {
      return Optional.empty();
    }
  }

  private static EncodedValue text(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  /** A request that reads the attribute and adds this to it. */
  private void use(String added) {
    LiveSession session = requireNonNull(node.open(ID));
    node.beginUse(session);
    ((Note) requireNonNull(session.attribute("text"))).text += added;
    assertThat(node.flush(session)).isTrue();
    node.endUse(session);
  }

  private void assertCounted(long checks, long time) {
    assertThat(codec.statistics().checks()).isEqualTo(checks);
    assertThat(codec.statistics().checkTime()).hasSeconds(time);
  }

  @Test
  @Tag("R72")
  void aCheckTakesAllTheTimeThatFindingOutTakesAndIsOne() {
    IdleTimeout timeout = IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));
    Map<String, EncodedValue> attributes = Map.of("text", text(" as somebody else encoded it "));
    store.create(new NewSession(SessionKey.of(ID), Instant.EPOCH, timeout, attributes));
    use("");
    // Encoded, other than what is stored; that decoded, and encoded too. Not: decoded to be read.
    assertCounted(1, 12);
    use("");
    assertCounted(2, 13);
    use(", and more");
    assertCounted(3, 14);
    LiveSession session = requireNonNull(node.open(ID));
    session.setAttribute("other", new Note("new"));
    assertThat(node.flush(session)).isTrue();
    assertCounted(3, 14);
  }
}
