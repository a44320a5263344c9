package org.tfcompress.demo.ui;

import android.app.Activity;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.Suite;

/** What is known of the model, what was promised of it and what this phone measured; and of the app itself. */
public final class AboutScreen extends Screen {
    private View view;
    private ViewGroup first;
    private ViewGroup second;
    private Cards cards;

    public AboutScreen(Host host) {
        super(host);
    }

    @Override
    public View create(LayoutInflater inflater, ViewGroup parent) {
        view = inflater.inflate(R.layout.screen_about, parent, false);
        first = view.findViewById(R.id.about_first);
        second = view.findViewById(R.id.about_second);
        cards = new Cards(inflater);
        fill();
        return view;
    }

    @Override
    public void show() {
        fill(); // the benchmark may have measured something meanwhile
    }

    @Override
    public void modelChanged() {
        fill();
    }

    private void fill() {
        first.removeAllViews();
        second.removeAllViews();
        Activity activity = host.activity();
        DemoModel model = host.session().model();
        if (model == null) {
            String problem = host.session().problem();
            cards.text(cards.card(first, R.string.about_model),
                    problem == null ? activity.getString(R.string.about_no_model) : problem);
        } else {
            fill(model, activity);
        }
        AppCard.add(cards, second, activity);
    }

    private void fill(DemoModel model, Activity activity) {
        for (String warning : model.warnings) {
            cards.warning(first, warning);
        }
        ModelCards about = new ModelCards(activity, cards);
        about.facts(first, model);
        Suite measured = host.session().findings().benchmark().suiteOf(model.sha256);
        about.promised(first, activity.getLayoutInflater(), model, measured);
        new VectorsCard(host, cards).add(second, model);
        about.recipe(second, model);
        about.notes(second, model);
        new LicenseCard(host, cards).add(second, model);
    }
}
