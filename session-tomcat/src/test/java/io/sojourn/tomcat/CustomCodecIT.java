package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sojourn.AttributeChange;
import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import io.sojourn.InMemorySessionStore;
import io.sojourn.LoadResult;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.StoredAttribute;
import io.sojourn.testkit.ContractClient;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the Manager element says of the codec: a user's own, compression, bounds and figures. */
class CustomCodecIT {

  private final InMemorySessionStore store = new InMemorySessionStore();
  private final ContractClient client = new ContractClient();
  private final Map<TomcatNode, SojournManager> managers = new HashMap<>();

  private TomcatNode node(String... attributes) throws Exception {
    SojournManager manager = ManagerElement.of(attributes);
    manager.setSessionStore(store);
    if (manager.getAllowedClasses().isEmpty()) {
      manager.setAllowedClasses("io.sojourn.testkit.*");
    }
    TomcatNode node = TomcatNode.start(manager);
    managers.put(node, manager);
    return node;
  }

  private EncodedValue stored(String id, String name) {
    LoadResult.Found found = (LoadResult.Found) store.load(SessionKey.of(id), 0);
    Map<String, StoredAttribute> attributes = found.session().attributes();
    return requireNonNull(attributes.get(name)).value();
  }

  private SojournManager manager(TomcatNode node) {
    return requireNonNull(managers.get(node));
  }

  @Test
  @Tag("G8")
  void aUsersCodecStoresAndReadsWhatOursHasStoredBefore() throws Exception {
    try (TomcatNode ours = node();
        TomcatNode json = node("codec", JsonCodec.class.getName())) {
      String id = client.send(ours, "set:before:by Kryo", "id").line();
      client.send(json, "set:after:\"by\" JSON");
      assertThat(client.send(json, "get:before", "get:after").lines())
          .containsExactly("by Kryo", "\"by\" JSON");

      assertThat((int) stored(id, "before").bytes()[0]).isEqualTo(1);
      assertThat(new String(stored(id, "after").bytes(), UTF_8)).contains("by");
      assertThat(stored(id, "after").bytes()[0]).isEqualTo((byte) 200);
      assertThat(client.send(ours, "get:before").line()).isEqualTo("by Kryo");
    }
  }

  /** Another codec of a user's, which replaces the first: lists of text, a line each. */
  public static final class LinesCodec implements AttributeCodec {

    private static final byte FORMAT = (byte) 201;

    /** As the manager makes it. */
    public LinesCodec() {}

    @Override
    public EncodedValue encode(Object value) {
      byte[] text = String.join("\n", lines(value)).getBytes(UTF_8);
      byte[] bytes = new byte[text.length + 1];
      bytes[0] = FORMAT;
      System.arraycopy(text, 0, bytes, 1, text.length);
      return EncodedValue.of(bytes);
    }

    private static List<String> lines(Object value) {
      return value instanceof List<?> list
          ? list.stream().map(String::valueOf).toList()
          : List.of(String.valueOf(value));
    }

    @Override
    public boolean reads(byte format) {
      return format == FORMAT;
    }

    @Override
    public Object decode(EncodedValue value) {
      return new String(value.bytes(), 1, value.size() - 1, UTF_8);
    }

    @Override
    public boolean isImmutable(Object value) {
      return value instanceof String;
    }

    @Override
    public Optional<String> refusal(Object value) {
      return Optional.empty();
    }
  }

  private static final String JSON = JsonCodec.class.getName();
  private static final String LINES = LinesCodec.class.getName();

  /** A step of a change of the codec, of which each reads what the one before it has stored. */
  @ParameterizedTest(name = "{0} to {1} to {2}")
  @MethodSource("changes")
  @Tag("G8")
  @Tag("R40")
  void theCodecChangesUnderARunningSite(String before, String during, String after, int format)
      throws Exception {
    try (TomcatNode old = node("codec", before);
        TomcatNode both = node("codec", during);
        TomcatNode last = node("codec", after)) {
      String id = client.send(old, "set:text:old", "set:more:old", "id").line();
      EncodedValue stored = stored(id, "text");
      assertThat(client.send(both, "get:text", "get:more", "set:more:new").lines())
          .containsExactly("old", "old");
      assertThat(stored(id, "text")).as("only read").isEqualTo(stored);
      assertThat(stored(id, "more").bytes()[0] & 0xFF).isEqualTo(format);
      assertThat(client.send(last, "get:more").line()).isEqualTo("new");
      assertThat(client.send(last, "get:text").status()).as("given up too early").isEqualTo(500);
      assertThat(manager(both).getDecodeFailures()).isZero();
      assertThat(stored(id, "text")).isEqualTo(stored);
    }
  }

  static Stream<Arguments> changes() {
    return Stream.of(
        arguments(JSON, "kryo, " + JSON, "kryo", 1),
        arguments(JSON, "java," + JSON, "java", 2),
        arguments(JSON, LINES + ", " + JSON, LINES, 201),
        arguments(LINES, "kryo, " + JSON + ", " + LINES, "kryo", 1));
  }

  @Test
  @Tag("G8")
  void aCollectionThatAFormerCodecStoredIsNotSavedForBeingRead() throws Exception {
    try (TomcatNode json = node("codec", JSON);
        TomcatNode kryo = node("codec", "kryo, " + JSON)) {
      String id = client.send(json, "begin", "id").line();
      EncodedValue planted = new JsonCodec().encode(List.of("a", "b"));
      Map<String, AttributeChange> changes = Map.of("list", new AttributeChange.Set(planted));
      assertThat(
              store.save(
                  new SessionDelta(SessionKey.of(id), changes, Optional.empty(), Duration.ZERO)))
          .isPresent();
      assertThat(client.send(kryo, "get:list").line()).isEqualTo("[a, b]");
      assertThat(stored(id, "list")).isEqualTo(planted);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "kryo, ; must be one of",
        "kryo, json ; codec=\"json\" must be one of",
        "kryo, com.acme.Old ; codec=\"com.acme.Old\"",
        "io.sojourn.tomcat.JsonCodec, io.sojourn.tomcat.JsonCodec ; more than one reads the format"
            + " byte 200",
      })
  @Tag("R71")
  void aListOfCodecsThatMakesNoSenseStopsTheStart(String list, String why) {
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", "memory:", "codec", list), (tomcat, context) -> {}))
        .singleElement()
        .asString()
        .contains("codec=\"", why);
  }

  @ParameterizedTest
  @CsvSource({
    "com.acme.NoCodec, neither the application nor the container's lib",
    "java.lang.String, does not implement",
    "io.sojourn.codec.KryoCodec, constructor",
  })
  @Tag("R71")
  void aClassThatIsNoCodecStopsTheStartWithOneMessageThatNamesIt(String name, String why) {
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", "memory:", "codec", name), (tomcat, context) -> {}))
        .singleElement()
        .asString()
        .contains("codec=\"" + name + "\"", why);
  }

  @Test
  void nodesThatCompressAndNodesThatDoNotServeOneSite() throws Exception {
    try (TomcatNode plain = node();
        TomcatNode lz4 = node("compression", "lz4")) {
      String text = "the same again ".repeat(400);
      String id = client.send(lz4, "set:text:" + text, "id").line();
      assertThat((int) stored(id, "text").bytes()[0]).isEqualTo(4);
      assertThat(stored(id, "text").size()).isLessThan(text.length() / 10);
      assertThat(client.send(plain, "get:text").line()).isEqualTo(text);
      client.send(plain, "set:text:" + text + "!");
      assertThat((int) stored(id, "text").bytes()[0]).isEqualTo(1);
      assertThat(client.send(lz4, "get:text").line()).isEqualTo(text + "!");
    }
  }

  @Test
  @Tag("R43")
  void whatIsBeyondTheBoundsIsNotSavedAndCountedWhileTheRestIs() throws Exception {
    try (TomcatNode small = node("maxEncodedBytes", "200");
        TomcatNode large = node()) {
      String text = "x".repeat(300);
      client.send(small, "set:small:kept", "set:large:" + text);
      assertThat(client.send(large, "get:small", "get:large").lines())
          .containsExactly("kept", "null");
      assertThat(manager(small).getEncodeFailures()).isPositive();

      client.send(large, "set:huge:" + text);
      int status = client.send(small, "get:huge").status();
      assertThat(status).isEqualTo(500);
      assertThat(client.send(small, "get:small").line()).isEqualTo("kept");
      assertThat(manager(small).getDecodeFailures()).isPositive();
      assertThat(manager(large).getDecodeFailures()).isZero();
    }
  }

  @Test
  @Tag("R72")
  void theFiguresAreAttributesOfTheMBean() throws Exception {
    try (TomcatNode node = node()) {
      client.send(node, "add:cart:apple");
      client.send(node, "get:cart");
      for (String name :
          List.of(
              "dirtyChecks",
              "dirtyCheckTime",
              "encodeFailures",
              "decodeFailures",
              "refusedClasses")) {
        assertThat(
                ManagementFactory.getPlatformMBeanServer()
                    .getAttribute(manager(node).getObjectName(), name))
            .isInstanceOf(Long.class);
      }
    }
  }

  @Test
  @Tag("R72")
  @Tag("R59")
  void dirtyChecksAndRefusalsAreCounted() throws Exception {
    try (TomcatNode node = node();
        TomcatNode other = node()) {
      client.send(node, "add:cart:apple");
      long before = manager(node).getDirtyChecks();
      client.send(node, "get:cart");
      assertThat(manager(node).getDirtyChecks()).isGreaterThan(before);
      assertThat(manager(node).getDirtyCheckTime()).isNotNegative();
      assertThat(manager(node).getRefusedClasses()).isZero();

      try (TomcatNode refusing = node("allowedClasses", "!io.sojourn.testkit.Cart")) {
        client.send(refusing, "get:cart");
        assertThat(manager(refusing).getRefusedClasses()).isPositive();
        assertThat(manager(refusing).getDecodeFailures()).isPositive();
      }
      assertThat(client.send(other, "get:cart").line()).contains("apple");
    }
  }
}
