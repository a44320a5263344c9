package org.tfcompress.demo.ui;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.Locale;
import org.tfcompress.demo.R;
import org.tfcompress.demo.device.ThisPhone;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.measure.DeviceInfo;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.share.SharedReport;

/** Hands a benchmark's report to another app, or saves it where the user wants it. */
final class ReportHandOn {
    private final Host host;
    private final Screen screen;
    private final int saveCode;

    /** @param saveCode the screen's own code for the answer of the document picker */
    ReportHandOn(Host host, Screen screen, int saveCode) {
        this.host = host;
        this.screen = screen;
        this.saveCode = saveCode;
    }

    /** What was measured on what, for the head of the table. */
    String about(Suite suite) {
        DeviceInfo phone = phone();
        return text(R.string.benchmark_of, suite.title, phone.target(), phone.source());
    }

    /** Opens Android's list of apps that take the report. */
    void share(Suite suite) {
        if (suite == null) {
            return;
        }
        Activity activity = host.activity();
        String json = suite.report(phone(), now("yyyy-MM-dd"));
        String name = name(suite);
        host.session().work(() -> SharedReport.write(activity.getApplicationContext(), name, json),
                new Worker.Done<Uri>() {
                    @Override
                    public void done(Uri report) {
                        String title = text(R.string.benchmark_subject, suite.title);
                        Intent send = SharedReport.intent(report, title);
                        activity.startActivity(Intent.createChooser(send, title));
                    }

                    @Override
                    public void failed(String sentence) {
                        host.say(sentence);
                    }
                });
    }

    /** Lets the user choose where to save the report; the place comes to the screen's answer. */
    void chooseWhere(Suite suite) {
        if (suite != null) {
            host.ask(screen, SharedReport.saveIntent(name(suite)), saveCode);
        }
    }

    /** Saves the report. */
    void save(Suite suite, Uri place) {
        if (suite == null || suite.fastest() == null) {
            host.say(text(R.string.benchmark_gone));
            return;
        }
        byte[] json = suite.report(phone(), now("yyyy-MM-dd")).getBytes(StandardCharsets.UTF_8);
        host.session().work(() -> write(place, json), new Worker.Done<Void>() {
            @Override
            public void done(Void nothing) {
                host.say(text(R.string.benchmark_saved));
            }

            @Override
            public void failed(String sentence) {
                host.say(sentence);
            }
        });
    }

    private Void write(Uri place, byte[] json) throws IOException {
        Threads.background();
        try (OutputStream out = host.activity().getContentResolver().openOutputStream(place, "wt")) {
            if (out == null) {
                throw new FileNotFoundException(text(R.string.benchmark_place_gone));
            }
            out.write(json);
            return null;
        } catch (IOException | SecurityException e) {
            throw new IOException(text(R.string.benchmark_not_saved, String.valueOf(e.getMessage())), e);
        }
    }

    private static String name(Suite suite) {
        return SharedReport.name(suite.title, now("yyyy-MM-dd-HHmmss"));
    }

    private static String now(String form) {
        return new SimpleDateFormat(form, Locale.ROOT).format(new Date());
    }

    private DeviceInfo phone() {
        return new ThisPhone(host.activity());
    }

    private String text(int id, Object... with) {
        return host.activity().getString(id, with);
    }
}
