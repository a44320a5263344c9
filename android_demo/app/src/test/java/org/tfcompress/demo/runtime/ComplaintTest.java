package org.tfcompress.demo.runtime;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.model.ModelException;

public class ComplaintTest {
    /** What the interpreter itself says of a file that was not looked at before. */
    private static String said(String model, Delegate delegate) {
        return assertThrows(
                        ModelException.class,
                        () -> new JvmRunner(Golden.model(model), new RunOptions(1, delegate), false).close())
                .getMessage();
    }

    @Test
    public void whatTheInterpreterSaysIsOneSentenceThatNamesTheOperator() {
        for (Delegate delegate : new Delegate[] {Delegate.CPU, Delegate.XNNPACK}) {
            assertEquals(
                    "This runtime has no operator MysteryOperator; replace it in the model, or convert with TFLite's "
                            + "own operators only.",
                    said("custom", delegate));
            assertEquals(
                    "This runtime has no operator RELU in version 99; convert it to another --dtype or with an older "
                            + "converter, or replace that operator.",
                    said("later", delegate));
            assertTrue(said("apart", delegate),
                    said("apart", delegate).contains("operator 0 (ADD) cannot be prepared here"));
        }
    }

    @Test
    public void anUnknownOperatorIsRefusedInASentence() {
        String said = said("unknown", Delegate.CPU);
        assertTrue(said, said.contains("250") || said.contains("could not load the model"));
    }

    @Test
    public void messagesInJavasFormAreUnderstoodToo() {
        // The form of org.tensorflow.lite 2.16.1 (exceptions of its native code).
        String custom = "Internal error: Cannot create interpreter: Encountered unresolved custom op: Foo.\nSee "
                + "instructions: https://www.tensorflow.org/lite/guide/ops_custom Node number 3 (Foo) failed "
                + "to prepare.";
        String told = Complaint.of("load the model", custom, null).getMessage();
        assertTrue(told, told.startsWith("This runtime has no operator Foo;"));
        String shape = "Internal error: Unexpected failure when preparing tensor allocations: "
                + "tensorflow/lite/kernels/add.cc:93 dims 2 != 3\nNode number 7 (ADD) failed to prepare.";
        assertEquals(
                "The model's operator 7 (ADD) cannot be prepared here: dims 2 != 3.",
                Complaint.of("load the model", shape, null).getMessage());
        assertEquals(
                "The runtime could not run the model; the file may be damaged, or another delegate may do.",
                Complaint.of("run the model", null, null).getMessage());
    }

    @Test
    public void aFileThatIsRefusedLeavesAReasonAndNoRunner() {
        assertTrue(said("text", Delegate.CPU), said("text", Delegate.CPU).contains("type"));
        ModelException error = assertThrows(
                ModelException.class, () -> new JvmRunner(Golden.model("int8"), new RunOptions(1, Delegate.NNAPI)));
        assertTrue(error.getMessage(), error.getMessage().contains("NNAPI"));
    }
}
