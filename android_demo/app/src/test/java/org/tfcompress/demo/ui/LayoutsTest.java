package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The layouts as files. */
public class LayoutsTest {
    /** A view gets the state of the one with its id before, which ends the app if that was of another class. */
    @Test
    public void aViewIsOfTheSameClassHoweverThePhoneIsHeld() throws Exception {
        Map<String, String> classes = new HashMap<>();
        List<String> wrong = new ArrayList<>();
        int files = 0;
        for (File folder : new File("app/src/main/res").listFiles((where, name) -> name.startsWith("layout"))) {
            for (File file : folder.listFiles()) {
                files++;
                NodeList all = DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(file)
                        .getElementsByTagName("*");
                for (int i = 0; i < all.getLength(); i++) {
                    Element view = (Element) all.item(i);
                    String id = view.getAttribute("android:id");
                    String before = id.isEmpty() ? null : classes.put(file.getName() + " " + id, view.getTagName());
                    if (before != null && !before.equals(view.getTagName())) {
                        wrong.add(file.getName() + " " + id + " is " + before + " and " + view.getTagName());
                    }
                }
            }
        }
        assertEquals(Collections.emptyList(), wrong);
        assertTrue(Arrays.toString(new File("app/src/main/res").list()), files > 10);
    }
}
