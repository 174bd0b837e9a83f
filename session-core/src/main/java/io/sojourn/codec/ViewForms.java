package io.sojourn.codec;

import io.sojourn.DecodeException;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's unmodifiable views: what they are views of, which others may refer to as well. Security
 * frameworks keep what a user may do in one, so most sessions have some.
 */
final class ViewForms {

  private ViewForms() {}

  @SuppressWarnings("JdkObsolete") // a list without random access
  static void addTo(List<JdkForms.Entry> table) {
    // Of interfaces: inferred from what is passed below, they would take nothing else.
    Function<List<?>, Object> lists = Collections::unmodifiableList;
    Function<Set<?>, Object> sets = Collections::unmodifiableSet;
    Function<Collection<?>, Object> collections = Collections::unmodifiableCollection;
    Function<Map<?, ?>, Object> maps = Collections::unmodifiableMap;
    view(table, 65, new ArrayList<>(), List.class, lists);
    view(table, 66, new LinkedList<>(), List.class, lists);
    view(table, 67, new HashSet<>(), Set.class, sets);
    view(table, 68, new ArrayList<>(), Collection.class, collections);
    view(table, 69, new HashMap<>(), Map.class, maps);
  }

  private static <T> void view(
      List<JdkForms.Entry> table,
      int token,
      T some,
      Class<? super T> of,
      Function<T, Object> maker) {
    Class<?> type = maker.apply(some).getClass();
    @SuppressWarnings("unchecked")
    ViewForm form = new ViewForm(type, of, (Function<Object, Object>) maker);
    table.add(new JdkForms.Entry(token, type, form, true, false));
  }

  /** Nothing inside a view may refer to it, since it is made from what is inside. */
  private static final class ViewForm extends GraphForm<Object> {
    private final Class<?> type;
    private final Class<?> of;
    private final Function<Object, Object> maker;

    ViewForm(Class<?> type, Class<?> of, Function<Object, Object> maker) {
      this.type = type;
      this.of = of;
      this.maker = maker;
    }

    @Override
    void encode(Graph graph, GraphOutput out, Object value) {
      Object viewed = graph.views.viewedBy(value);
      if (!of.isInstance(viewed) || maker.apply(viewed).getClass() != type) {
        throw Graph.NeedsJava.SIGNAL;
      }
      graph.enterLate(value);
      graph.writeClassAndObject(out, viewed);
      graph.leaveLate();
    }

    @Override
    boolean walk(Walk walk, Object value) {
      // And what it shows: what it is a view of may have something else written in its place.
      return walk.visitViewed(value) && ContainerForms.walkAny(walk, value);
    }

    @Override
    Object decode(Graph graph, GraphInput in) {
      Object viewed = graph.readClassAndObject(in);
      if (of.isInstance(viewed)) {
        Object view = maker.apply(viewed);
        if (view.getClass() == type) {
          return view;
        }
      }
      if (graph.isSkipping()) {
        return graph.missing();
      }
      throw new DecodeException("A view of something that it is no view of", null);
    }
  }

  /**
   * Looks into views. They keep what they are views of to themselves, and show it only to a stream
   * that asks whether to write something else in its place. Not thread-safe.
   */
  static final class Viewer {

    private @Nullable Stream stream;

    /** What this is a view of; null if it does not show. */
    @Nullable Object viewedBy(Object view) {
      try {
        Stream present = stream;
        if (present == null) {
          present = new Stream();
          stream = present;
        }
        return present.viewedBy(view);
      } catch (IOException e) {
        throw new IllegalStateException("A stream to nowhere has failed", e);
      }
    }

    private static final class Stream extends ObjectOutputStream {
      private boolean atView;
      private @Nullable Object viewed;

      Stream() throws IOException {
        super(OutputStream.nullOutputStream());
        enableReplaceObject(true);
      }

      @Nullable Object viewedBy(Object view) throws IOException {
        atView = true;
        try {
          writeObject(view);
          return viewed;
        } finally {
          viewed = null;
          reset();
        }
      }

      @Override
      protected @Nullable Object replaceObject(Object object) {
        if (atView) { // or what it has replaced itself by, which is a view of the same
          atView = false;
          return object;
        }
        if (viewed == null) {
          viewed = object;
        }
        return null;
      }
    }
  }
}
