package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.InMemorySessionStore;
import io.sojourn.StoreUnavailableException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.catalina.LifecycleException;
import org.apache.tomcat.util.IntrospectionUtils;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the {@code <Manager>} element may say, given as Tomcat gives it. */
class SojournManagerIT {

  private static SojournManager configured(String... namesAndValues) {
    SojournManager manager = new SojournManager();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      assertThat(IntrospectionUtils.setProperty(manager, namesAndValues[i], namesAndValues[i + 1]))
          .isTrue();
    }
    return manager;
  }

  /** Starts a Tomcat that has to refuse this manager, and answers what it logs about it. */
  private static List<String> refusal(SojournManager manager) {
    List<String> messages = Collections.synchronizedList(new ArrayList<>());
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            Throwable thrown = logged.getThrown();
            if (thrown instanceof LifecycleException && thrown.getCause() != null) {
              messages.add(String.valueOf(thrown.getCause().getMessage()));
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      assertThatThrownBy(() -> TomcatNode.start(manager)).isInstanceOf(LifecycleException.class);
    } finally {
      root.removeHandler(handler);
    }
    return messages;
  }

  @ParameterizedTest
  @CsvSource({
    "touchInterval, soon",
    "touchInterval, -1",
    "dirtyCheck, sometimes",
    "onDecodeFailure, explode",
    "nearCacheSize, 0",
    "allowedClasses, com.acme.[",
    "store, reddis://127.0.0.1",
    "store, ''",
    "store, jdbc:nothing://127.0.0.1/x",
    "maximumPoolSize, many",
  })
  @Tag("R71")
  void aWrongSettingStopsTheStartWithOneMessageThatNamesIt(String name, String value) {
    SojournManager manager = configured("store", "jdbc:h2:mem:" + UUID.randomUUID(), name, value);
    assertThat(refusal(manager))
        .anySatisfy(message -> assertThat(message).contains(name).contains(value));
  }

  @Test
  @Tag("R71")
  void anUnknownSettingIsNamedWithoutItsValueWhichMayBeASecret() {
    SojournManager manager = configured("store", "jdbc:h2:mem:x", "passwort", "s3cret");
    assertThat(refusal(manager))
        .anySatisfy(
            message ->
                assertThat(message).contains("passwort", "password").doesNotContain("s3cret"));
  }

  @Test
  @Tag("R71")
  void aMissingStoreIsSaid() {
    assertThat(refusal(new SojournManager()))
        .anySatisfy(message -> assertThat(message).contains("store=\"...\" is missing"));
  }

  @Test
  @Tag("R67")
  void credentialsAreNotShown() {
    SojournManager manager = configured("store", "redis://anna:s3cret@127.0.0.1:6379");
    assertThat(manager.getStore()).contains("127.0.0.1:6379").doesNotContain("s3cret");
    assertThat(manager.toString()).doesNotContain("s3cret");
  }

  @Test
  @Tag("R69")
  void aManagerConfiguredByUrlKeepsSessionsInThatStore() throws Exception {
    String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    HttpClient client = HttpClient.newHttpClient();
    String cookie;
    try (TomcatNode first = TomcatNode.start(configured("store", url, "maximumPoolSize", "2"))) {
      HttpResponse<String> answer = get(client, first.uri().resolve("?op=set:a:1"), "");
      assertThat(answer.statusCode()).isEqualTo(200);
      cookie = answer.headers().firstValue("Set-Cookie").orElseThrow().split(";", 2)[0];
    }
    try (TomcatNode second = TomcatNode.start(configured("store", url))) {
      assertThat(get(client, second.uri().resolve("?op=get:a"), cookie).body()).isEqualTo("1\n");
    }
  }

  @Test
  @Tag("R24")
  void aStoreHandedOverStaysOpen() throws Exception {
    InMemorySessionStore store = new InMemorySessionStore();
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    TomcatNode.start(manager).close();
    store.ping();
    store.close();
    assertThatThrownBy(store::ping).isInstanceOf(StoreUnavailableException.class);
  }

  private static HttpResponse<String> get(HttpClient client, URI uri, String cookie)
      throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    if (!cookie.isEmpty()) {
      request.header("Cookie", cookie);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }
}
