package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ControlledStore;
import io.sojourn.testkit.PatientStores;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A client with two session cookies, as when applications at / and at /shop have each set one. */
class TwoCookiesIT {

  @Test
  @Tag("G4")
  @Tag("G9")
  @Tag("R14")
  void theOneThatLeadsToASessionCountsAndAnOutageDoesNotDecide() throws Exception {
    String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    ControlledStore control =
        new ControlledStore(clock -> PatientStores.open(url, "cookies", clock));
    SojournManager manager = new SojournManager();
    manager.setSessionStore(control.store());
    try (LogRecords log = new LogRecords();
        TomcatNode node = TomcatNode.start(manager, (tomcat, context) -> {})) {
      ContractClient client = new ContractClient();
      client.send(node, "set:a:1");
      String id = requireNonNull(client.sessionId());
      String mine = "JSESSIONID=" + id;
      String other = "JSESSIONID=0123456789ABCDEF0123456789ABCDEF";
      control.takeCalls();
      assertThat(get(node, mine + "; " + other).body()).contains("1");
      assertThat(control.takeCalls()).isEqualTo(Map.of("load", 1));
      assertThat(get(node, other + "; " + mine).body()).contains("1");

      control.fail("load");
      for (String cookies : new String[] {mine + "; " + other, other + "; " + mine}) {
        HttpResponse<String> refused = get(node, cookies);
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        assertThat(refused.headers().firstValue("Set-Cookie")).isEmpty();
      }
      assertThat(log.thrown()).isEmpty();
      control.fail();
      assertThat(get(node, mine + "; " + other).body()).contains("1");
    }
  }

  private static HttpResponse<String> get(TomcatNode node, String cookies) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(node.uri().resolve("?op=get:a")).header("Cookie", cookies).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
  }
}
