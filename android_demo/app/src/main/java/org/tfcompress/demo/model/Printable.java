package org.tfcompress.demo.model;

/** Text out of a file that is not trusted, made fit to be shown or printed anywhere. */
public final class Printable {
    private Printable() {}

    /**
     * The text without control characters and marks that turn the direction of writing, of which a ? tells; cut to a
     * number of letters. For what a message quotes.
     *
     * @param text may be null, which is empty
     */
    public static String of(String text, int most) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; text != null && i < text.length(); ) {
            int letter = text.codePointAt(i);
            i += Character.charCount(letter);
            if (shown.length() >= most) {
                return shown + "...";
            }
            shown.appendCodePoint(isShown(letter) ? letter : '?');
        }
        return shown.toString();
    }

    /**
     * The text in one line, with single spaces for what cannot be printed, cut to at most {@code most} characters. For
     * reports and logs, which the toolkit checks to be so.
     */
    public static String line(String text, int most) {
        StringBuilder kept = new StringBuilder();
        text.codePoints().forEach(letter -> kept.appendCodePoint(isShown(letter) && !isSpace(letter) ? letter : ' '));
        String line = kept.toString().trim().replaceAll(" {2,}", " ");
        if (line.length() <= most) {
            return line;
        }
        int end = Character.isHighSurrogate(line.charAt(most - 2)) ? most - 2 : most - 1;
        return line.substring(0, end) + "\u2026";
    }

    private static boolean isSpace(int letter) {
        return Character.getType(letter) == Character.SPACE_SEPARATOR;
    }

    private static boolean isShown(int letter) {
        switch (Character.getType(letter)) {
            case Character.CONTROL:
            case Character.FORMAT:
            case Character.SURROGATE:
            case Character.PRIVATE_USE:
            case Character.UNASSIGNED:
            case Character.LINE_SEPARATOR:
            case Character.PARAGRAPH_SEPARATOR:
                return false;
            default:
                return true;
        }
    }
}
