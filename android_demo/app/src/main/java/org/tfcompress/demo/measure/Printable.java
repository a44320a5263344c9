package org.tfcompress.demo.measure;

/** Texts that may be printed anywhere: no control characters, line ends or marks that turn the writing's direction. */
public final class Printable {
    private Printable() {}

    /** The text in one line, with single spaces for what cannot be printed, cut to at most {@code most} characters. */
    public static String text(String text, int most) {
        StringBuilder kept = new StringBuilder();
        text.codePoints().forEach(point -> kept.appendCodePoint(isPrintable(point) ? point : ' '));
        String line = kept.toString().trim().replaceAll(" {2,}", " ");
        if (line.length() <= most) {
            return line;
        }
        int end = Character.isHighSurrogate(line.charAt(most - 2)) ? most - 2 : most - 1;
        return line.substring(0, end) + "\u2026";
    }

    private static boolean isPrintable(int point) {
        switch (Character.getType(point)) {
            case Character.CONTROL:
            case Character.FORMAT:
            case Character.SURROGATE:
            case Character.PRIVATE_USE:
            case Character.UNASSIGNED:
            case Character.LINE_SEPARATOR:
            case Character.PARAGRAPH_SEPARATOR:
            case Character.SPACE_SEPARATOR:
                return false;
            default:
                return true;
        }
    }
}
