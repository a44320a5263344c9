package org.tfcompress.demo.model;

/** Text out of a file that is not trusted, made fit to be shown. */
public final class Printable {
    private Printable() {}

    /**
     * The text without control characters and marks that turn the direction of writing, cut to a number of letters.
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
