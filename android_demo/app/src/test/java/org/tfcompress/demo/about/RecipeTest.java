package org.tfcompress.demo.about;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Collections;
import org.json.JSONException;
import org.junit.Test;
import org.tfcompress.demo.model.ModelException;

public class RecipeTest {
    @Test
    public void stepsAreReadInTheirOrderWithTheirParameters() throws Exception {
        Recipe recipe = Recipe.read("{\"name\": \"deep\", \"description\": \"\", \"seed\": 0, \"steps\": ["
                + "{\"technique\": \"prune\", \"sparsity\": 0.6, \"learning_rate\": 0.001, \"freeze\": []},"
                + "{\"technique\": \"qat\", \"epochs\": 2, \"layers\": [\"a\", \"b_*\"], \"keep\": true}],"
                + "\"conversion\": {\"dtype\": \"int8\", \"io\": null}}");
        assertEquals("deep", recipe.name);
        assertEquals(2, recipe.steps.size());
        assertEquals("prune", recipe.steps.get(0).technique);
        assertEquals("{sparsity=0.6, learning rate=0.001}", recipe.steps.get(0).parameters.toString());
        assertEquals("{epochs=2, layers=a, b_*, keep=yes}", recipe.steps.get(1).parameters.toString());
        assertEquals("{dtype=int8}", recipe.conversion.toString());
    }

    @Test
    public void aRecipeWithoutStepsIsRead() throws Exception {
        Recipe recipe = Recipe.read("{}");
        assertTrue(recipe.steps.isEmpty() && recipe.conversion.isEmpty());
        assertFalse(recipe.name.contains("null"));
    }

    @Test
    public void whatIsNoRecipeIsSaid() {
        assertThrows(ModelException.class, () -> Recipe.read("[]"));
        String deep = String.join("", Collections.nCopies(100_000, "["));
        assertThrows(ModelException.class, () -> Recipe.read("{\"steps\": " + deep));
        assertThrows(JSONException.class, () -> Recipe.read("{\"steps\": 3}"));
        assertThrows(JSONException.class, () -> Recipe.read("{\"steps\": [\"prune\"]}"));
    }
}
