package org.tfcompress.demo.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;

/** What an interpreter says when it refuses a file, as one sentence for the user. */
public final class Complaint {
    private static final Pattern CUSTOM = Pattern.compile("unresolved custom op: ?(\\S+?)\\.?(\\s|$)");
    private static final Pattern BUILTIN =
            Pattern.compile("Didn't find op for builtin opcode '(\\w+)'(?: version '(\\d+)')?");
    private static final Pattern NODE =
            Pattern.compile("Node number (\\d+) \\((\\w+)\\) failed to (prepare|invoke)");

    private Complaint() {}

    /**
     * The sentence for what was said.
     *
     * @param doing what was tried: "load the model", "run the model"
     * @param said the interpreter's own words, of one or more lines; may be null
     */
    public static ModelException of(String doing, String said, Throwable cause) {
        String words = said == null ? "" : said;
        Matcher custom = CUSTOM.matcher(words);
        if (custom.find()) {
            return new ModelException("This runtime has no operator " + Printable.of(custom.group(1), 60)
                    + "; replace it in the model, or convert with TFLite's own operators only.", cause);
        }
        Matcher builtin = BUILTIN.matcher(words);
        if (builtin.find()) {
            String version = builtin.group(2) == null ? "" : " in version " + builtin.group(2);
            if (builtin.group(1).equals("FULLY_CONNECTED") && "12".equals(builtin.group(2))) {
                return new ModelException("This runtime has no operator FULLY_CONNECTED" + version
                        + ", Dense layers of a dynamic file with a scale per channel; convert the model with "
                        + "--dense per-tensor.", cause);
            }
            return new ModelException("This runtime has no operator " + builtin.group(1) + version
                    + "; convert it to another --dtype or with an older converter, or replace that operator.", cause);
        }
        Matcher node = NODE.matcher(words);
        if (node.find()) {
            return new ModelException("The model's operator " + node.group(1) + " (" + node.group(2)
                    + ") cannot be " + (node.group(3).equals("prepare") ? "prepared" : "run") + " here: "
                    + reason(words, node.start()) + ".", cause);
        }
        String plain = flat(words.replaceAll("Internal error: ?", ""));
        return new ModelException("The runtime could not " + doing
                + (plain.isEmpty() ? "" : " (" + plain + ")")
                + "; the file may be damaged, or another delegate may do.", cause);
    }

    /** The line before the node's, which says why, without its place in the runtime's source. */
    private static String reason(String words, int end) {
        String before = words.substring(0, end);
        for (String frame : new String[] {"Internal error: ", "tensor allocations: ", "Interpreter: "}) {
            int at = before.lastIndexOf(frame);
            before = at < 0 ? before : before.substring(at + frame.length());
        }
        String flat = flat(before.replaceAll("\\S+\\.(cc|h|c):\\d+:? ?", ""));
        return flat.isEmpty() ? "no reason was given" : flat;
    }

    private static String flat(String words) {
        return Printable.of(words.trim().replaceAll("\\s+", " ").replaceAll("\\.$", ""), 200);
    }
}
