package org.tfcompress.demo.ui.input;

import android.Manifest;
import android.content.Context;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.ImageButton;
import android.widget.ImageView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.preprocess.Picture;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.Screen;

/** A picture: what the camera sees, one that the user picks, or a sample. */
final class ImagePanel extends InputPanel {
    private static final int PICK = 1;

    private View live;
    private ImageView still;
    private ImageButton cameraButton;
    private View turnButton;
    private Ask ask;
    private Preview preview;

    ImagePanel(Host host, Screen screen, DemoModel model) {
        super(host, screen, model);
    }

    @Override
    protected View make(LayoutInflater inflater, ViewGroup parent) {
        View view = inflater.inflate(R.layout.panel_image, parent, false);
        view.findViewById(R.id.image_frame).setClipToOutline(true);
        live = view.findViewById(R.id.image_live);
        still = view.findViewById(R.id.image_still);
        ask = new Ask(view.findViewById(R.id.ask));
        preview = new Preview(view.findViewById(R.id.image_live), new Preview.Listener() {
            @Override
            public void frame(Picture picture) {
                seen(picture);
            }

            @Override
            public void failed() {
                inputs.setLive(false);
                display();
                ask.say(R.string.camera_failed, R.string.try_again, () -> begin());
            }
        });
        cameraButton = view.findViewById(R.id.image_camera);
        turnButton = view.findViewById(R.id.image_turn);
        cameraButton.setOnClickListener(clicked -> toggle());
        turnButton.setOnClickListener(clicked -> turn());
        view.findViewById(R.id.image_pick).setOnClickListener(clicked -> pick());
        display();
        return view;
    }

    private void toggle() {
        if (inputs.live()) {
            inputs.setLive(false);
            preview.stop();
            display();
        } else {
            begin();
        }
    }

    private void begin() {
        if (!host.activity().getPackageManager().hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY)) {
            display();
            ask.say(R.string.camera_none);
            return;
        }
        host.askPermission(screen(), Manifest.permission.CAMERA);
    }

    private void turn() {
        inputs.setFront(!inputs.front());
        preview.start(inputs.front());
    }

    private void pick() {
        Intent intent = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE);
        intent.setType("image/*");
        host.ask(screen(), intent, PICK);
    }

    @Override
    public void permission(String name, boolean granted) {
        inputs.setLive(granted);
        if (granted) {
            mark(null);
            session.clearOutcome();
        }
        display();
        if (granted) {
            show();
        } else {
            ask.refused(host, name, R.string.camera_needed, R.string.camera_settings, this::begin);
        }
    }

    @Override
    public void show() {
        if (inputs.live() && !allowed()) {
            inputs.setLive(false); // taken away in the settings meanwhile
            display();
        }
        if (inputs.live()) {
            preview.start(inputs.front());
        }
    }

    private boolean allowed() {
        return host.activity().checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED;
    }

    @Override
    public void hide() {
        preview.stop();
    }

    private void seen(Picture picture) {
        if (!session.busy()) {
            // The session keeps what is given, beyond this panel: nothing of the panel may be in it.
            session.classify(preprocessor -> preprocessor.picture(picture));
        } else {
            preview.next();
        }
    }

    @Override
    public void outcomeChanged() {
        preview.next();
    }

    @Override
    public void answer(int code, Intent data) {
        Uri from = data == null ? null : data.getData();
        if (code != PICK || from == null) {
            return;
        }
        mark(null);
        Context context = host.activity().getApplicationContext();
        load(() -> Pictures.read(context, from));
    }

    @Override
    protected void use(Sample sample) {
        load(() -> Pictures.sample(model.folder, sample.file));
    }

    private void load(Worker.Work<Picture> work) {
        session.work(work, new Worker.Done<Picture>() {
            @Override
            public void done(Picture picture) {
                preview.stop();
                inputs.choose(picture);
                display();
                run();
            }

            @Override
            public void failed(String sentence) {
                host.say(sentence);
            }
        });
    }

    /** Shows what is classified, and the buttons that go with it. */
    private void display() {
        ask.hide();
        live.setVisibility(inputs.live() ? View.VISIBLE : View.GONE);
        Picture picture = inputs.live() ? null : inputs.picture();
        still.setVisibility(picture == null ? View.GONE : View.VISIBLE);
        if (picture != null) {
            still.setImageDrawable(Pictures.crisp(host.activity(), Pictures.bitmap(picture)));
        } else if (!inputs.live()) {
            ask.say(R.string.image_hint, R.string.camera_start, this::begin);
        }
        turnButton.setEnabled(inputs.live());
        int what = inputs.live() ? R.string.camera_stop : R.string.camera_start;
        cameraButton.setImageResource(inputs.live() ? R.drawable.ic_stop : R.drawable.ic_camera);
        cameraButton.setContentDescription(text(what));
        cameraButton.setTooltipText(text(what));
    }

    @Override
    public void run() {
        Picture picture = inputs.picture();
        if (!inputs.live() && picture != null) {
            session.classify(preprocessor -> preprocessor.picture(picture));
        }
    }

    @Override
    public int hint() {
        return inputs.live() ? R.string.camera_wait : 0;
    }
}
