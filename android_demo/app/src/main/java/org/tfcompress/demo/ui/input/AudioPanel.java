package org.tfcompress.demo.ui.input;

import android.Manifest;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.TextView;
import java.util.Locale;
import org.tfcompress.demo.R;
import org.tfcompress.demo.device.Microphone;
import org.tfcompress.demo.device.Speaker;
import org.tfcompress.demo.manifest.AudioInput;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.preprocess.Wav;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.store.Streams;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.Screen;

/** A clip of sound, from the microphone or a sample, as long as the model takes it. */
final class AudioPanel extends InputPanel {
    private static final int MOST_BYTES = 64 << 20;

    private final AudioInput input;
    private final Speaker speaker = new Speaker();
    private WaveView wave;
    private TextView line;
    private Button record;
    private View play;
    private View settings;
    private Microphone microphone;

    AudioPanel(Host host, Screen screen, DemoModel model) {
        super(host, screen, model);
        input = (AudioInput) model.manifest.input;
    }

    @Override
    protected View make(LayoutInflater inflater, ViewGroup parent) {
        View view = inflater.inflate(R.layout.panel_audio, parent, false);
        wave = view.findViewById(R.id.wave);
        wave.setContentDescription(text(R.string.wave_spoken));
        line = view.findViewById(R.id.audio_text);
        record = view.findViewById(R.id.audio_record);
        play = view.findViewById(R.id.audio_play);
        settings = view.findViewById(R.id.audio_settings);
        record.setOnClickListener(clicked -> toggle());
        play.setOnClickListener(clicked -> speaker.play(inputs.clip(), inputs.rate()));
        settings.setOnClickListener(clicked -> host.openSettings());
        display();
        return view;
    }

    private void toggle() {
        if (microphone != null) {
            stop();
            display();
        } else {
            host.askPermission(screen(), Manifest.permission.RECORD_AUDIO);
        }
    }

    @Override
    public void permission(String name, boolean granted) {
        if (granted) {
            listen();
            return;
        }
        display();
        boolean never = host.neverAsksAgain(name);
        line.setText(never ? R.string.mic_settings : R.string.mic_needed);
        settings.setVisibility(never ? View.VISIBLE : View.GONE);
    }

    private void listen() {
        speaker.stop();
        mark(null);
        session.clearOutcome();
        microphone = new Microphone(new Heard());
        display();
        wave.level(0, 0);
        microphone.record(input.sampleRate, input.seconds());
    }

    /** What the microphone tells. */
    private final class Heard implements Microphone.Listener {
        @Override
        public void level(float level, float done) {
            wave.level(level, done);
        }

        @Override
        public void recorded(float[] clip, int rate) {
            microphone = null;
            inputs.hear(clip, rate);
            display();
            run();
        }

        @Override
        public void failed() {
            microphone = null;
            display();
            line.setText(R.string.mic_failed);
        }
    }

    private void stop() {
        if (microphone != null) {
            microphone.cancel();
            microphone = null;
        }
    }

    @Override
    public void hide() {
        stop();
        speaker.stop();
        display();
    }

    @Override
    protected void use(Sample sample) {
        stop();
        load(sample, clip -> {
            inputs.hear(clip.samples, clip.rate);
            display();
            run();
        });
    }

    @Override
    protected void heard(Sample sample) {
        load(sample, clip -> speaker.play(clip.samples, clip.rate));
    }

    private interface Then {
        void then(Wav clip);
    }

    private void load(Sample sample, Then then) {
        session.work(() -> Wav.read(Streams.bytes(model.folder, sample.file, MOST_BYTES)), new Worker.Done<Wav>() {
            @Override
            public void done(Wav clip) {
                then.then(clip);
            }

            @Override
            public void failed(String sentence) {
                host.say(sentence);
            }
        });
    }

    private void display() {
        boolean listening = microphone != null;
        settings.setVisibility(View.GONE);
        play.setEnabled(!listening && inputs.clip() != null);
        record.setText(listening ? R.string.record_stop : R.string.record);
        record.setCompoundDrawablesRelativeWithIntrinsicBounds(
                listening ? R.drawable.ic_stop : R.drawable.ic_mic, 0, 0, 0);
        if (listening) {
            line.setText(R.string.audio_listening);
            return;
        }
        wave.show(inputs.clip());
        if (inputs.clip() == null) {
            line.setText(text(R.string.audio_hint, seconds(input.samples, input.sampleRate)));
        } else {
            line.setText(text(R.string.audio_clip, seconds(inputs.clip().length, inputs.rate()), inputs.rate()));
        }
    }

    private static String seconds(int samples, int rate) {
        return String.format(Locale.getDefault(), "%.2f", (double) samples / rate);
    }

    @Override
    public void run() {
        float[] clip = inputs.clip();
        int rate = inputs.rate();
        if (clip != null) {
            session.classify(preprocessor -> preprocessor.clip(clip, rate));
        }
    }

    /** None: the line below the wave says what to do. */
    @Override
    public int hint() {
        return 0;
    }
}
