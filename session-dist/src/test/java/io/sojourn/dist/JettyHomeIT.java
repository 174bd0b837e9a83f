package io.sojourn.dist;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two Jettys as they are downloaded, with our archive unpacked into their JETTY_BASE and the module
 * added beside those for HTTP/2, JSP and WebSockets, and an application that knows nothing of it
 * and brings along other versions of our libraries.
 */
@ExtendWith(RealServers.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JettyHomeIT {

  private static final String PASSWORD = "r3dis-s3cret";

  private static final Map<String, String> ENVIRONMENT =
      Map.of("SOJOURN_USERNAME", "sojourn", "SOJOURN_PASSWORD", PASSWORD);

  private RedisServer redis;
  private Jetty first;
  private Jetty second;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    redis = RedisServer.startPrivate("--user", "sojourn on >" + PASSWORD + " ~sojourn:* +@all");
    Path war = folder.resolve("visits.war");
    War.write(
        war,
        DistributedJar.TARGET.resolve("application-lib"),
        Map.of("visits.jsp", DistributionContract.LIBRARIES_JSP),
        VisitsEndpoint.class,
        VisitsEndpoint.Handshake.class);
    first =
        new Jetty(
            "12.1",
            folder.resolve("first"),
            "http,http2c,ee11-deploy,ee11-jsp,ee11-websocket-jakarta,session-store-sojourn");
    first.deploy(war);
    second = new Jetty(first, folder.resolve("second"));
    start(first, "first");
    start(second, "second");
    first.awaitStart();
    second.awaitStart();
  }

  private void start(Jetty jetty, String worker) throws IOException {
    jetty.start(
        ENVIRONMENT,
        "jetty.session.sojourn.store=redis://127.0.0.1:" + redis.port(),
        "jetty.session.sojourn.storeOptions=timeout=10s",
        "jetty.sessionIdManager.workerName=" + worker,
        "jetty.session.evictionPolicy=1800",
        "jetty.session.saveOnInactiveEviction=true",
        "jetty.session.saveOnCreate=true",
        "jetty.session.removeUnloadableSessions=false",
        "jetty.session.flushOnResponseCommit=true",
        "jetty.session.invalidateOnShutdown=false",
        "jetty.session.savePeriod.seconds=30",
        "jetty.server.dumpAfterStart=true");
  }

  @AfterAll
  void stop() throws Exception {
    for (AutoCloseable open : new AutoCloseable[] {first, second, redis}) {
      if (open != null) {
        open.close();
      }
    }
  }

  @Test
  @Tag("R68")
  void anApplicationHasItsOwnVersionsOfOurLibraries() {
    Browser browser = new Browser();
    assertThat(browser.page(first.uri("/visits/visits.jsp?visit=one")))
        .containsPattern("kryo=\\S*/WEB-INF/lib/kryo5-5\\.5\\.0\\.jar")
        .contains("netty={netty-common=netty-common-4.1.118.Final", "before=[]", "visits=[one]");
    assertThat(browser.page(second.uri("/visits/visits.jsp?visit=two")))
        .containsPattern("kryo=\\S*/WEB-INF/lib/kryo5-5\\.5\\.0\\.jar")
        .contains("before=[one]", "visits=[one, two]");
  }

  @Test
  @Tag("G1")
  void byHttp2TooTheOtherServerSeesWhatWasSet() throws Exception {
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_2)
            .cookieHandler(new java.net.CookieManager())
            .build();
    String visits = "";
    for (int i = 0; i < 20; i++) {
      visits += (i == 0 ? "" : ", ") + i;
      URI uri = (i % 2 == 0 ? first : second).uri("/visits/visits.jsp?visit=" + i);
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60)).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
      assertThat(answer.body()).contains("visits=[" + visits + "]");
    }
  }

  @Test
  @Tag("R37")
  @Tag("R55")
  void whatAWebSocketSetsIsThereOnTheOtherServerAndTheOtherWayRound() throws Exception {
    Browser browser = new Browser();
    browser.page(first.uri("/visits/visits.jsp?visit=page"));
    BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    WebSocket socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .header("Cookie", "JSESSIONID=" + browser.sessionId("/visits"))
            .buildAsync(
                URI.create("ws://" + first.uri("/visits/socket").getAuthority() + "/visits/socket"),
                new Inbox(answers))
            .join();
    try {
      socket.sendText("socket", true).join();
      assertThat(answers.poll(30, TimeUnit.SECONDS)).isEqualTo("[page, socket]");
      assertThat(browser.page(second.uri("/visits/visits.jsp?visit=other")))
          .contains("visits=[page, socket, other]");
      socket.sendText("again", true).join();
      assertThat(answers.poll(30, TimeUnit.SECONDS)).isEqualTo("[page, socket, other, again]");
    } finally {
      socket.abort();
    }
    assertThat(browser.page(second.uri("/visits/visits.jsp?visit=last")))
        .contains("visits=[page, socket, other, again, last]");
  }

  private record Inbox(BlockingQueue<String> messages) implements WebSocket.Listener {
    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
      messages.add(text.toString());
      socket.request(1);
      return null;
    }
  }

  @Test
  @Tag("R58")
  @Tag("R67")
  void aSecretFromTheEnvironmentAndIdsAreNotInWhatJettyLogsAndDumps() {
    Browser browser = new Browser();
    browser.page(first.uri("/visits/visits.jsp?visit=one"));
    assertThat(first.log())
        .contains("SojournSessionCacheFactory")
        .doesNotContain(PASSWORD)
        .doesNotContain(browser.sessionId("/visits"));
  }

  @Test
  @Tag("R67")
  @Tag("R71")
  @Tag("R90")
  void aSettingThatMakesNoSenseAndASecondCacheStopTheServer(@TempDir Path base) throws IOException {
    try (Jetty jetty = new Jetty("12.1", base, "http,ee10-deploy,session-store-sojourn")) {
      jetty.start(Map.of(), "jetty.session.sojourn.store=memory:", "jetty.session.sojourn.codec=x");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("codec=\"x\" must be one of: kryo, java");
      jetty.start(
          Map.of("SOJOURN_ENCRYPTION_KEYS", "a:tooShort"), "jetty.session.sojourn.store=memory:");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("encryptionKeys=\"...\": ").doesNotContain("tooShort");
      Files.writeString(
          base.resolve("start.d/session-store-sojourn.ini"),
          "jetty.session.sojourn.freshnes=causal\n",
          StandardOpenOption.APPEND);
      jetty.start(
          Map.of(),
          "jetty.session.sojourn.store=memory:",
          "jetty.session.gracePeriod.seconds=3600",
          "jetty.session.sojourn.pasword=s3cret");
      jetty.awaitEnd();
      assertThat(jetty.log())
          .containsPattern(
              "freshnes \\(in \\S*session-store-sojourn.ini\\), \\S*pasword \\(in the command"
                  + " line\\) is no .*gracePeriod.seconds \\(in the command line\\) has no"
                  + " meaning");
      Files.writeString(
          base.resolve("start.d/session-store-sojourn.ini"),
          "--module=session-store-sojourn\njetty.session.sojourn.password=${NOT_SET_ANYWHERE}\n");
      jetty.start(Map.of());
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("password=\"...\" has a reference ${...}, and");
      Files.writeString(
          base.resolve("start.d/session-store-sojourn.ini"), "--module=session-store-sojourn\n");
      jetty.start(Map.of());
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("store=\"...\" is missing");
      jetty.start(
          Map.of(),
          "jetty.session.sojourn.store=memory:",
          "jetty.session.flushOnResponseCommit=false");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("flushOnResponseCommit=\"false\" is nothing that");
      // Jetty itself does not let in a second module of the kind.
      jetty.start(Map.of(), "--module=session-cache-null");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("provides session-cache, which is already provided by");
    }
  }
}
