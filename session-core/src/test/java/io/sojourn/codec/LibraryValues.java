package io.sojourn.codec;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.faces.util.LRUMap;
import jakarta.faces.application.FacesMessage;
import jakarta.servlet.http.Cookie;
import java.io.InvalidObjectException;
import java.io.ObjectStreamException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.wicket.DefaultPageManagerProvider;
import org.apache.wicket.IPageManagerProvider;
import org.apache.wicket.markup.IMarkupResourceStreamProvider;
import org.apache.wicket.markup.html.WebPage;
import org.apache.wicket.markup.html.basic.Label;
import org.apache.wicket.markup.html.form.Form;
import org.apache.wicket.markup.html.form.TextField;
import org.apache.wicket.markup.html.link.Link;
import org.apache.wicket.model.CompoundPropertyModel;
import org.apache.wicket.model.Model;
import org.apache.wicket.pageStore.IPageStore;
import org.apache.wicket.pageStore.InSessionPageStore;
import org.apache.wicket.util.resource.IResourceStream;
import org.apache.wicket.util.resource.StringResourceStream;
import org.apache.wicket.util.tester.WicketTester;
import org.hibernate.collection.spi.PersistentBag;
import org.hibernate.collection.spi.PersistentMap;
import org.hibernate.collection.spi.PersistentSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;
import org.springframework.security.authentication.AnonymousAuthenticationToken;
import org.springframework.security.authentication.BadCredentialsException;
import org.springframework.security.authentication.RememberMeAuthenticationToken;
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.core.context.SecurityContextImpl;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetails;
import org.springframework.security.web.authentication.WebAuthenticationDetails;
import org.springframework.security.web.csrf.DefaultCsrfToken;
import org.springframework.security.web.savedrequest.DefaultSavedRequest;
import org.springframework.security.web.savedrequest.SavedCookie;
import org.springframework.security.web.savedrequest.SimpleSavedRequest;

/** What Spring Security, JSF, Wicket and Hibernate put into sessions, or have put there. */
@SuppressWarnings({"UnusedVariable", "serial"})
final class LibraryValues {

  /** What an application has to allow for it. */
  static final String PACKAGES =
      "org.springframework.security.core.** org.springframework.security.authentication.*"
          + " org.springframework.security.web.** com.sun.faces.util.LRUMap jakarta.faces.**"
          + " org.apache.wicket.** org.hibernate.collection.spi.*";

  private LibraryValues() {}

  static Stream<Arguments> all() {
    return Stream.of(
        arguments("Spring Security: security context", new SecurityContextImpl(login())),
        arguments(
            "Spring Security: remembered login",
            new SecurityContextImpl(
                new RememberMeAuthenticationToken("key", user(), user().getAuthorities()))),
        arguments(
            "Spring Security: anonymous",
            new AnonymousAuthenticationToken("key", "guest", user().getAuthorities())),
        arguments(
            "Spring Security: CSRF token", new DefaultCsrfToken("X-CSRF-TOKEN", "_csrf", "4711")),
        arguments("Spring Security: saved request", savedRequest()),
        arguments(
            "Spring Security: saved address", new SimpleSavedRequest("https://example.org/a?b=c")),
        arguments("Spring Security: last exception", new BadCredentialsException("no")),
        arguments("JSF: views in server-side state", views()),
        arguments("JSF: messages in the flash", flash()),
        arguments("Wicket: page", wicket(WicketTester::getLastRenderedPage)),
        arguments("Wicket: session that keeps its pages", wicket(WicketTester::getSession)),
        arguments("Hibernate: bag", new PersistentBag<>(null, new ArrayList<>(List.of(1, "a", 1)))),
        arguments("Hibernate: set", new PersistentSet<>(null, new HashSet<>(Set.of("a", 2)))),
        arguments("Hibernate: map", new PersistentMap<>(null, new HashMap<>(Map.of("a", 2)))),
        arguments("Hibernate: entity with a proxy", order()));
  }

  private static UserDetails user() {
    return User.withUsername("ann").password("{noop}secret").authorities("USER", "ADMIN").build();
  }

  private static Authentication login() {
    UsernamePasswordAuthenticationToken login =
        UsernamePasswordAuthenticationToken.authenticated(
            user(), null, List.of(new SimpleGrantedAuthority("USER")));
    login.setDetails(new WebAuthenticationDetails("127.0.0.1", "session"));
    return login;
  }

  private static DefaultSavedRequest savedRequest() {
    return new DefaultSavedRequest.Builder()
        .setMethod("POST")
        .setScheme("https")
        .setServerName("example.org")
        .setServerPort(443)
        .setContextPath("/shop")
        .setServletPath("/pay")
        .setRequestURI("/shop/pay")
        .setRequestURL("https://example.org/shop/pay")
        .setCookies(List.of(new SavedCookie(new Cookie("a", "b"))))
        .setHeaders(Map.of("Accept", List.of("text/html", "*/*")))
        .setLocales(List.of(Locale.GERMANY, Locale.FRENCH))
        .setParameters(Map.of("amount", new String[] {"5"}))
        .build();
  }

  /** Views by their ids, each with its last states, as Mojarra keeps them. */
  private static Object views() {
    LRUMap<String, Object> states = new LRUMap<>(15);
    states.put("-7:1", new Object[] {new Object[] {"html", null, 3}, Map.of("form", "state")});
    LRUMap<String, Object> views = new LRUMap<>(15);
    views.put("-7", states);
    return views;
  }

  private static Object flash() {
    FacesMessage message = new FacesMessage(FacesMessage.SEVERITY_WARN, "short", "long");
    message.rendered();
    return new HashMap<>(Map.of("messages", new ArrayList<>(List.of(message, message))));
  }

  /** After two requests for a page, in an application that keeps pages in the session. */
  private static Object wicket(Function<WicketTester, Object> value) {
    WicketTester tester =
        new WicketTester() {
          @Override
          protected IPageManagerProvider newTestPageManagerProvider() {
            return new DefaultPageManagerProvider(getApplication()) {
              @Override
              protected IPageStore newPersistentStore() {
                return new InSessionPageStore(2);
              }
            };
          }
        };
    try {
      tester.startPage(new Page());
      tester.clickLink("more");
      tester.assertLabel("count", "1");
      // To keep what the end of the application takes out of the session.
      return RoundTripTest.byJava(value.apply(tester));
    } catch (Exception e) {
      throw new AssertionError(e);
    } finally {
      tester.destroy();
    }
  }

  static final class Page extends WebPage implements IMarkupResourceStreamProvider {
    private final Model<Integer> count = Model.of(0);

    Page() {
      add(new Label("count", count));
      add(
          new Link<Void>("more") {
            @Override
            public void onClick() {
              count.setObject(count.getObject() + 1);
            }
          });
      Form<Samples.Node> form =
          new Form<>("form", new CompoundPropertyModel<>(new Samples.Node("name")));
      form.add(new TextField<String>("name"));
      add(form);
    }

    @Override
    public IResourceStream getMarkupResourceStream(
        org.apache.wicket.MarkupContainer container, Class<?> type) {
      return new StringResourceStream(
          "<html><body><span wicket:id='count'></span><a wicket:id='more'>more</a>"
              + "<form wicket:id='form'><input wicket:id='name'/></form></body></html>");
    }
  }

  private static Object order() {
    Order order = new Order();
    order.customer = new CustomerProxy(7);
    order.items = new PersistentBag<>(null, new ArrayList<>(List.of(order, "item")));
    return order;
  }

  static final class Order implements Serializable {
    @Nullable Customer customer;
    @Nullable List<Object> items;
  }

  static class Customer implements Serializable {
    int id;
  }

  /** As Hibernate makes them: a subclass of the entity that leaves something else in the stream. */
  static final class CustomerProxy extends Customer {
    private final transient Object session = new Object();

    CustomerProxy(int id) {
      this.id = id;
    }

    Object writeReplace() {
      return new StoredProxy(id);
    }
  }

  static final class StoredProxy implements Serializable {
    private final int id;

    StoredProxy(int id) {
      this.id = id;
    }

    private Object readResolve() throws ObjectStreamException {
      if (id == 0) {
        throw new InvalidObjectException("No id");
      }
      return new CustomerProxy(id);
    }
  }
}
