import com.google.zxing.*;
import com.google.zxing.common.GlobalHistogramBinarizer;
import com.google.zxing.common.HybridBinarizer;
import java.awt.image.BufferedImage;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ofdrw.converter.FontLoader;
import org.ofdrw.converter.ImageMaker;
import org.ofdrw.core.basicStructure.ofd.docInfo.CustomData;
import org.ofdrw.reader.ContentExtractor;
import org.ofdrw.reader.OFDReader;

/**
 * Reads an OFD file as ofdrw does, and the codes on its pages as ZXing does: lines "custom NAME VALUE", "attachment NAME", "text PAGE
 * WORDS", "image PAGE WIDTH HEIGHT INKED", "code PAGE TEXT". With a second argument it leaves a picture of each page in that folder, drawn
 * with the font file of the third.
 */
public class Read {
    public static void main(String[] args) throws Exception {
        if (args.length > 2) {
            FontLoader.getInstance().addSystemFontMapping("宋体", args[2]);
        }
        try (OFDReader file = new OFDReader(Path.of(args[0]))) {
            for (CustomData d : file.getOFDDir().getOfd().getDocBody().getDocInfo().getCustomDatas().getCustomDatas()) {
                System.out.println("custom " + d.getDataName() + " " + d.getValue());
            }
            file.getAttachmentList().forEach(a -> System.out.println("attachment " + a.getAttachmentName()));
            ContentExtractor words = new ContentExtractor(file);
            List<ImageMaker> pictures = Stream.of(6, 8, 12).map(dots -> new ImageMaker(file, dots)).toList();
            for (int page = 1; page <= file.getNumberOfPages(); page++) {
                for (String line : words.getPageContent(page)) {
                    System.out.println("text " + page + " " + line);
                }
                look(page, pictures.get(0).makePage(page - 1), args.length > 1 ? args[1] : null);
                code(page, pictures);
            }
        }
    }

    static void look(int page, BufferedImage picture, String folder) throws Exception {
        long dark = java.util.Arrays.stream(pixels(picture)).filter(p -> (p & 0xff) < 128).count();
        System.out.println("image " + page + " " + picture.getWidth() + " " + picture.getHeight() + " " + dark);
        if (folder != null) {
            ImageIO.write(picture, "PNG", new File(folder, "copy-" + page + ".png"));
        }
    }

    /** Looks for a code as a scanner does, more than once: of each single look at a good picture ZXing misses one in a hundred. */
    static void code(int page, List<ImageMaker> pictures) {
        Map<DecodeHintType, Object> hints = Map.of(DecodeHintType.TRY_HARDER, true, DecodeHintType.POSSIBLE_FORMATS, List.of(BarcodeFormat.QR_CODE));
        for (ImageMaker maker : pictures) {
            BufferedImage picture = maker.makePage(page - 1);
            LuminanceSource seen = new RGBLuminanceSource(picture.getWidth(), picture.getHeight(), pixels(picture));
            for (Binarizer binarizer : List.of(new HybridBinarizer(seen), new GlobalHistogramBinarizer(seen))) {
                try {
                    System.out.println("code " + page + " " + new MultiFormatReader().decode(new BinaryBitmap(binarizer), hints).getText());
                    return;
                } catch (NotFoundException none) {
                    // a page without one, or a look that missed it
                }
            }
        }
    }

    static int[] pixels(BufferedImage picture) {
        return picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, picture.getWidth());
    }
}
