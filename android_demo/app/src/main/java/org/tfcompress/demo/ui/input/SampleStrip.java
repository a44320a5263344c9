package org.tfcompress.demo.ui.input;

import android.graphics.Bitmap;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.ImageView;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.AudioInput;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.ImageInput;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.ui.Host;

/** The model's samples in a row: pictures small, all with the right answer where it is told. */
final class SampleStrip {
    /** Told which sample was touched. */
    interface Listener {
        void chosen(Sample sample);
    }

    private final Host host;
    private final DemoModel model;
    private final ViewGroup row;
    private final List<View> views = new ArrayList<>();

    SampleStrip(Host host, DemoModel model, View strip, Listener chosen, Listener heard) {
        this.host = host;
        this.model = model;
        row = strip.findViewById(R.id.samples_row);
        List<Sample> samples = model.manifest.samples;
        strip.setVisibility(samples.isEmpty() ? View.GONE : View.VISIBLE);
        boolean pictures = model.manifest.input instanceof ImageInput;
        boolean sounds = model.manifest.input instanceof AudioInput;
        for (int i = 0; i < samples.size(); i++) {
            Sample sample = samples.get(i);
            View view = LayoutInflater.from(host.activity()).inflate(R.layout.sample, row, false);
            String label = label(sample, i);
            ((TextView) view.findViewById(R.id.sample_label)).setText(label);
            view.findViewById(R.id.sample_image).setVisibility(pictures ? View.VISIBLE : View.GONE);
            view.setContentDescription(host.activity().getString(R.string.sample_spoken, label));
            view.setOnClickListener(clicked -> chosen.chosen(sample));
            View play = view.findViewById(R.id.sample_play);
            play.setVisibility(sounds ? View.VISIBLE : View.GONE);
            play.setContentDescription(host.activity().getString(R.string.play_sample, label));
            play.setOnClickListener(clicked -> heard.chosen(sample));
            row.addView(view);
            views.add(view);
            if (pictures) {
                load(sample, view.findViewById(R.id.sample_image));
            }
        }
    }

    private String label(Sample sample, int index) {
        return sample.label == null ? host.activity().getString(R.string.sample_number, index + 1) : sample.label;
    }

    private void load(Sample sample, ImageView into) {
        host.session().work(() -> Pictures.small(model.folder, sample.file), new Worker.Done<Bitmap>() {
            @Override
            public void done(Bitmap picture) {
                into.setImageDrawable(Pictures.crisp(host.activity(), picture));
            }

            @Override
            public void failed(String sentence) {
                into.setImageResource(R.drawable.ic_warning); // touching it says why
            }
        });
    }

    /** Marks the sample of that file; none if it is null. */
    void select(String file) {
        for (int i = 0; i < views.size(); i++) {
            views.get(i).setSelected(model.manifest.samples.get(i).file.equals(file));
        }
    }
}
