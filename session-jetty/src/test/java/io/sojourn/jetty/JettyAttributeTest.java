package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.session.SessionHandler;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JettyAttributeTest {

  @ParameterizedTest
  @CsvSource({
    "http://h/a?x=1;y=2&z=3, http://h/a?x=1;y=2&z=3",
    "http://h/a;jsessionid=n.one, http://h/a",
    "http://h/a;v=1;jsessionid=n.one;w=2/b?x=;jsessionid=3, http://h/a;v=1;w=2/b?x=;jsessionid=3",
    "http://h/a;sid=n.one, http://h/a;sid=n.one"
  })
  void anAddressIsStoredWithoutTheSessionsIdAndElseAsItIs(String address, String stored) {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    SessionHandler handler = new SessionHandler();
    SojournSessionCache cache = (SojournSessionCache) sessions.getSessionCache(handler);
    // Jetty's word for ids that are in no address.
    handler.setSessionIdPathParameterName("none");
    assertThat(JettyAttribute.URI.toStored(HttpURI.from(address), cache)).isEqualTo(address);
    handler.setSessionIdPathParameterName("jsessionid");
    assertThat(JettyAttribute.URI.toStored(HttpURI.from(address), cache)).isEqualTo(stored);
  }
}
