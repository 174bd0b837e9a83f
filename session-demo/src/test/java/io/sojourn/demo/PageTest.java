package io.sojourn.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PageTest {

  @Test
  void whatAVisitorWroteIsNeverMarkup() {
    Visit visit = new Visit("A", 1, "0123AB", "<b>\"Ada\"</b> & ${cart}", List.of("Tea"), "B");

    assertThat(Page.of(visit, "A and B"))
        .contains("&lt;b&gt;&quot;Ada&quot;&lt;/b&gt; &amp; ${cart}")
        .doesNotContain("<b>");
  }

  @Test
  void theStateOfAVisitIsReadAsItWasWritten() {
    Visit known = new Visit("A", 4711, "0123AB", "Ada: <x>", List.of("Tea", "Bread"), "B");
    Visit stranger = new Visit("B", 1, "", "", List.of(), "");

    assertThat(Visit.parse(known.text())).isEqualTo(known);
    assertThat(Visit.parse(stranger.text())).isEqualTo(stranger);
  }
}
