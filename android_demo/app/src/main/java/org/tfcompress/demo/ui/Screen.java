package org.tfcompress.demo.ui;

import android.content.Intent;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import org.tfcompress.demo.session.Session;

/** What one of the tabs shows. It lives as long as its activity; what must outlive a rotation is in {@link Session}. */
public abstract class Screen {
    protected final Host host;

    protected Screen(Host host) {
        this.host = host;
    }

    /** Makes the view; called once, before anything else. */
    public abstract View create(LayoutInflater inflater, ViewGroup parent);

    /** The tab is in front and the activity is started. */
    public void show() {}

    /** Another tab came to the front, or the activity was stopped: cameras and microphones are let go. */
    public void hide() {}

    /** Keeps what is small and only this screen's: scroll position, what is chosen. */
    public void save(Bundle state) {}

    /** Given what {@link #save} kept; after {@link #create}. */
    public void restore(Bundle state) {}

    /** Another model came, none is there, or it cannot run: see {@link Session#state}. Also said after create. */
    public void modelChanged() {}

    /** There is a new outcome, or what was put in could not be run: see {@link Session#outcome}. */
    public void outcomeChanged() {}

    /** The answer to {@link Host#ask}; data is null if the user went back. */
    public void answer(int code, Intent data) {}

    /** The answer to {@link Host#askPermission}. */
    public void permission(String name, boolean granted) {}
}
