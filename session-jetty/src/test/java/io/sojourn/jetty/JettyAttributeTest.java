package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.jetty.http.HttpURI;
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
    Object form = JettyAttribute.URI.toStored(HttpURI.from(address), "jsessionid");
    assertThat(form).isEqualTo(stored);
  }
}
