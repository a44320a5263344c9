package org.tfcompress.demo;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.ActivityNotFoundException;
import android.content.ContentResolver;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Bundle;
import android.view.View;
import android.widget.FrameLayout;
import java.util.EnumMap;
import org.tfcompress.demo.session.Session;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.ModelsDialog;
import org.tfcompress.demo.ui.Permissions;
import org.tfcompress.demo.ui.SayBar;
import org.tfcompress.demo.ui.Screen;
import org.tfcompress.demo.ui.Tab;
import org.tfcompress.demo.ui.TabBar;
import org.tfcompress.demo.ui.TopBar;

/** The app's window: the model's name above, the tabs, and the screen of the tab that is chosen. */
public class MainActivity extends Activity implements Host, Session.Listener {
    private static final String TAB = "tab";
    private static final String CHOOSING = "choosing";
    private static final int CODES = 100;
    private static final int MODEL = CODES * Tab.values().length;

    private final EnumMap<Tab, Screen> screens = new EnumMap<>(Tab.class);
    private final EnumMap<Tab, View> views = new EnumMap<>(Tab.class);
    private Session session;
    private Permissions permissions;
    private SayBar bar;
    private TopBar top;
    private AlertDialog dialog;
    private ModelsDialog models;
    private TabBar tabs;
    private Tab tab = Tab.CLASSIFY;
    private boolean started;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        session = DemoApp.session(this);
        permissions = new Permissions(this, saved);
        setContentView(R.layout.activity_main);
        bar = new SayBar(findViewById(R.id.say));
        top = new TopBar(findViewById(R.id.root), this);
        tabs = findViewById(R.id.tabs);
        tabs.setListener(this::show);
        FrameLayout content = findViewById(R.id.content);
        for (Tab each : Tab.values()) {
            Screen screen = each.screen(this);
            View view = screen.create(getLayoutInflater(), content);
            view.setVisibility(View.GONE);
            content.addView(view);
            screens.put(each, screen);
            views.put(each, view);
            Bundle state = saved == null ? null : saved.getBundle(each.name());
            if (state != null) {
                screen.restore(state);
            }
        }
        session.listen(this);
        modelChanged();
        session.start();
        boolean fromRecents = (getIntent().getFlags() & Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY) != 0;
        if (saved == null && !fromRecents) { // which hands over the file of the first time once more
            taken(getIntent());
        } else if (saved != null && saved.getBoolean(CHOOSING)) {
            chooseModel();
        }
        show(saved == null ? Tab.CLASSIFY : Tab.valueOf(saved.getString(TAB, Tab.CLASSIFY.name())));
    }

    /** Brings a tab to the front. */
    public void show(Tab chosen) {
        boolean other = chosen != tab;
        if (started && other) {
            screens.get(tab).hide();
        }
        views.get(tab).setVisibility(View.GONE);
        tab = chosen;
        views.get(tab).setVisibility(View.VISIBLE);
        tabs.select(tab);
        if (started && other) {
            screens.get(tab).show();
        }
    }

    @Override
    protected void onStart() {
        super.onStart();
        started = true;
        screens.get(tab).show();
    }

    @Override
    protected void onStop() {
        screens.get(tab).hide();
        started = false;
        super.onStop();
    }

    @Override
    protected void onNewIntent(Intent intent) {
        taken(intent);
    }

    /** Another app hands over a model: opened with this app, or shared with it. */
    @SuppressWarnings("deprecation") // the form that names the class exists from API 33 on
    private void taken(Intent intent) {
        Object file = null;
        if (Intent.ACTION_VIEW.equals(intent.getAction())) {
            file = intent.getData();
        } else if (Intent.ACTION_SEND.equals(intent.getAction())) {
            file = intent.getParcelableExtra(Intent.EXTRA_STREAM);
        }
        // What comes from outside may be anything; a file:// could even name one of the app's own.
        if (file instanceof Uri && ContentResolver.SCHEME_CONTENT.equals(((Uri) file).getScheme())) {
            session.bring((Uri) file);
        }
    }

    @Override
    protected void onDestroy() {
        session.forget(this);
        if (dialog != null) {
            dialog.dismiss();
        }
        super.onDestroy();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putString(TAB, tab.name());
        state.putBoolean(CHOOSING, models != null && models.isShowing());
        permissions.save(state);
        for (Tab each : Tab.values()) {
            Bundle own = new Bundle();
            screens.get(each).save(own);
            state.putBundle(each.name(), own);
        }
    }

    @Override
    public void modelChanged() {
        top.show(session);
        if (models != null && models.isShowing()) {
            models.fill();
        }
        for (Screen screen : screens.values()) {
            screen.modelChanged();
        }
    }

    @Override
    public void outcomeChanged() {
        for (Screen screen : screens.values()) {
            screen.outcomeChanged();
        }
    }

    @Override
    public Activity activity() {
        return this;
    }

    @Override
    public Session session() {
        return session;
    }

    @Override
    public void say(String sentence) {
        bar.say(sentence);
    }

    @Override
    public void ask(Screen screen, Intent intent, int code) {
        ask(intent, CODES * number(screen) + code);
    }

    private void ask(Intent intent, int code) {
        try {
            startActivityForResult(intent, code);
        } catch (ActivityNotFoundException e) {
            say(getString(R.string.no_app_for_it));
        }
    }

    @Override
    protected void onActivityResult(int code, int result, Intent data) {
        if (code == MODEL) {
            if (result == RESULT_OK && data != null && data.getData() != null) {
                session.bring(data.getData());
            }
            return;
        }
        Screen screen = screens.get(Tab.values()[code / CODES]);
        screen.answer(code % CODES, result == RESULT_OK ? data : null);
    }

    @Override
    public void askPermission(Screen screen, String name) {
        if (permissions.granted(name)) {
            screen.permission(name, true);
        } else {
            permissions.ask(name, number(screen));
        }
    }

    @Override
    public void onRequestPermissionsResult(int code, String[] names, int[] results) {
        for (int i = 0; i < names.length; i++) {
            boolean granted = results[i] == PackageManager.PERMISSION_GRANTED;
            permissions.answered(names[i], granted);
            screens.get(Tab.values()[code]).permission(names[i], granted);
        }
    }

    @Override
    public boolean neverAsksAgain(String name) {
        return permissions.neverAsksAgain(name);
    }

    @Override
    public void openSettings() {
        if (!permissions.openSettings()) {
            say(getString(R.string.no_app_for_it));
        }
    }

    @Override
    public void chooseModel() {
        models = ModelsDialog.show(this);
    }

    @Override
    public AlertDialog keep(AlertDialog shown) {
        if (dialog != null) {
            dialog.dismiss();
        }
        dialog = shown;
        dialog.show();
        return dialog;
    }

    @Override
    public void openModel() {
        Intent intent = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE);
        intent.setType("*/*"); // a .tflite file has no type of its own
        ask(intent, MODEL);
    }

    private int number(Screen screen) {
        for (Tab each : Tab.values()) {
            if (screens.get(each) == screen) {
                return each.ordinal();
            }
        }
        throw new IllegalArgumentException("a screen of another activity");
    }
}
