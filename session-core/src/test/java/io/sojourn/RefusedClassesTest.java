package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.JavaCodec;
import io.sojourn.codec.KryoCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A class that may not be in sessions is reported once, not for each request. */
@Tag("G10")
class RefusedClassesTest {

  /** Serializable, and not allowed. */
  record Refused(String text) implements java.io.Serializable {}

  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final Logger logger = Logger.getLogger(LiveSession.class.getName());
  private final SessionStore store = new InMemorySessionStore();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord logged) {
          log.add(logged.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    logger.addHandler(handler);
  }

  @AfterEach
  void stopListening() {
    logger.removeHandler(handler);
  }

  private SessionRepository node(String allowed, SessionPolicy.Undecodable undecodable) {
    SessionPolicy policy =
        new SessionPolicy(
            Duration.ofMinutes(1), SessionPolicy.DirtyCheck.READ, undecodable, 10_000);
    return new SessionRepository(
        store, new KryoCodec(getClass().getClassLoader(), ClassFilter.of(allowed)), policy);
  }

  private void fill(SessionRepository node) {
    for (int i = 0; i < 20; i++) {
      LiveSession session = node.create("s" + i, Duration.ofMinutes(30));
      session.setAttribute("cart", new ArrayList<>(List.of(new Refused("secret"))));
      session.setAttribute("good", "g");
      node.flush(session);
      session.setAttribute("cart", new ArrayList<>(List.of(new Refused("secret"))));
      node.flush(session);
    }
  }

  private void assertOneLine(String attribute) {
    assertThat(log)
        .singleElement()
        .asString()
        .contains("'" + attribute + "'", Refused.class.getName(), "io.sojourn.*")
        .doesNotContain("secret");
  }

  @Test
  void whenItIsSaved() {
    fill(node("", SessionPolicy.Undecodable.FAIL));

    assertOneLine("cart");
  }

  @Test
  void whenItIsRead() {
    fill(node("io.sojourn.*", SessionPolicy.Undecodable.FAIL));
    assertThat(log).isEmpty();
    SessionRepository absent = node("", SessionPolicy.Undecodable.ABSENT);
    for (int i = 0; i < 20; i++) {
      LiveSession session = Objects.requireNonNull(absent.open("s" + i));
      assertThat(session.attribute("cart")).isNull();
      assertThat(session.attribute("good")).isEqualTo("g");
    }
    assertOneLine("cart");
    log.clear();
    SessionRepository failing = node("", SessionPolicy.Undecodable.FAIL);
    for (int i = 0; i < 20; i++) {
      LiveSession session = Objects.requireNonNull(failing.open("s" + i));
      assertThatThrownBy(() -> session.attribute("cart"))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("'cart'")
          .hasMessageContaining("io.sojourn.*");
    }
    assertOneLine("cart");
  }

  @Test
  void whateverItsAttributesAreCalled() {
    SessionRepository node = node("", SessionPolicy.Undecodable.FAIL);
    LiveSession session = node.create("id", Duration.ofMinutes(30));
    for (int i = 1; i <= 20; i++) {
      session.setAttribute("item-" + i, new ArrayList<>(List.of(new Refused("secret"))));
      node.flush(session);
    }
    assertOneLine("item-1");
    session.setAttribute("other", new ArrayList<>(List.of(new Other("secret"))));
    node.flush(session);
    assertThat(log).hasSize(2).last().asString().contains("'other'", Other.class.getName());

    log.clear();
    SessionRepository allowing = node("io.sojourn.*", SessionPolicy.Undecodable.FAIL);
    LiveSession stored = allowing.create("stored", Duration.ofMinutes(30));
    for (int i = 1; i <= 20; i++) {
      stored.setAttribute("item-" + i, new ArrayList<>(List.of(new Refused("secret"))));
    }
    allowing.flush(stored);
    LiveSession read =
        Objects.requireNonNull(node("", SessionPolicy.Undecodable.ABSENT).open("stored"));
    for (int i = 1; i <= 20; i++) {
      assertThat(read.attribute("item-" + i)).isNull();
    }
    assertOneLine("item-1");
  }

  /** Serializable, and not allowed. */
  record Other(String text) implements java.io.Serializable {}

  /** Not Serializable. */
  record Connection(String password) {}

  @Test
  @Tag("R43")
  void whenItIsNotSerializableDeepInAnAttribute() {
    ClassLoader loader = getClass().getClassLoader();
    ClassFilter filter = ClassFilter.of("io.sojourn.*");
    for (AttributeCodec codec :
        List.of(new KryoCodec(loader, filter), new JavaCodec(loader, filter))) {
      log.clear();
      SessionRepository node = new SessionRepository(store, codec, SessionPolicy.DEFAULT);
      LiveSession session = node.create(codec.getClass().getName(), Duration.ofMinutes(30));
      List<Object> inner = new ArrayList<>(List.of("secret", new Connection("secret")));
      session.setAttribute("cart", new HashMap<>(Map.of("secret key", inner)));
      session.setAttribute("good", "g");
      assertThat(node.flush(session)).isTrue();

      assertThat(log)
          .singleElement()
          .asString()
          .contains("'cart'", Connection.class.getName() + " is not Serializable")
          .doesNotContain("secret");
    }
  }
}
