package org.tfcompress.demo.wire;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Who may ask for a measurement: adb alone, of a debug build alone; and nothing of the app reaches the net. */
public class WireManifestTest {
    private static final String ANDROID = "http://schemas.android.com/apk/res/android";
    private static final String NAME = ".BenchmarkActivity";
    private static final File DEBUG = new File("app/src/debug/AndroidManifest.xml");
    private static final File MAIN = new File("app/src/main/AndroidManifest.xml");
    private static final File MERGED = new File("target/AndroidManifest.xml");

    private static List<Element> all(File manifest, String tag) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        NodeList found = factory.newDocumentBuilder().parse(manifest).getElementsByTagName(tag);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            elements.add((Element) found.item(i));
        }
        return elements;
    }

    private static Element activity(File manifest) throws Exception {
        for (Element activity : all(manifest, "activity")) {
            if (activity.getAttributeNS(ANDROID, "name").equals(NAME)) {
                return activity;
            }
        }
        return null;
    }

    @Test
    public void onlyTheDebugBuildCanBeAsked() throws Exception {
        assertNull(activity(MAIN));
        for (File manifest : new File[] {DEBUG, MERGED}) {
            Element activity = activity(manifest);
            assertEquals("true", activity.getAttributeNS(ANDROID, "exported"));
            assertEquals("android.permission.DUMP", activity.getAttributeNS(ANDROID, "permission"));
            assertEquals("singleTask", activity.getAttributeNS(ANDROID, "launchMode"));
            assertEquals("true", activity.getAttributeNS(ANDROID, "excludeFromRecents"));
            assertEquals(0, activity.getElementsByTagName("intent-filter").getLength());
        }
        assertEquals(1, all(DEBUG, "activity").size());
    }

    @Test
    public void turningThePhoneDoesNotEndARun() throws Exception {
        List<String> changes = Arrays.asList(activity(MERGED).getAttributeNS(ANDROID, "configChanges").split("\\|"));
        String[] expected = {"orientation", "screenSize", "screenLayout", "uiMode", "density", "locale"};
        for (String change : expected) {
            assertEquals(change, true, changes.contains(change));
        }
    }

    @Test
    public void noBuildMayUseTheNet() throws Exception {
        for (File manifest : new File[] {MAIN, DEBUG, MERGED}) {
            for (String tag : new String[] {"uses-permission", "uses-permission-sdk-23"}) {
                for (Element permission : all(manifest, tag)) {
                    String name = permission.getAttributeNS(ANDROID, "name");
                    assertFalse(name, name.contains("INTERNET") || name.contains("NETWORK") || name.contains("WIFI"));
                }
            }
        }
    }
}
